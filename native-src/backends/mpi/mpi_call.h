#pragma once

#include <mpi.h>

namespace lockstep::mpi {

/// Raises SYSTEM with the MPI library's own words unless `code` is MPI_SUCCESS.
/// @param call the function that returned it, as the user would look it up
void check(int code, const char* call);

}  // namespace lockstep::mpi

#include "backends/mpi/mpi_call.h"

#include <string>

#include "lockstep/error.h"

namespace lockstep::mpi {

void check(int code, const char* call) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(code, text, &length);
  throw Error(ErrorCode::SYSTEM, std::string(call) + " failed in the MPI library: " +
                                     std::string(text, static_cast<std::size_t>(length)) +
                                     "; the group is closed, look at mpirun's own output for the cause.");
}

}  // namespace lockstep::mpi

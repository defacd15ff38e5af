// Generalised requests and statuses (MPI-3.1, chapter 12).
#pragma once
#ifndef LOCKSTEP_MPI_BINDINGS

#include "types.h"

/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Grequest_complete.3.html">MPI_Grequest_complete</a>. */
int MPI_Grequest_complete(MPI_Request request);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Grequest_start.3.html">MPI_Grequest_start</a>. */
int MPI_Grequest_start(MPI_Grequest_query_function* query_fn, MPI_Grequest_free_function* free_fn,
    MPI_Grequest_cancel_function* cancel_fn, void* extra_state, MPI_Request* request);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Status_set_cancelled.3.html">MPI_Status_set_cancelled</a>. */
int MPI_Status_set_cancelled(MPI_Status* status, int flag);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Status_set_elements.3.html">MPI_Status_set_elements</a>. */
int MPI_Status_set_elements(MPI_Status* status, MPI_Datatype datatype, int count);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Status_set_elements_x.3.html">MPI_Status_set_elements_x</a>. */
int MPI_Status_set_elements_x(MPI_Status* status, MPI_Datatype datatype, MPI_Count count);

#endif

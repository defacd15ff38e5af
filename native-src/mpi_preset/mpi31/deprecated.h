// Deprecated, not removed (MPI-3.1, chapter 15).
#pragma once
#ifndef LOCKSTEP_MPI_BINDINGS

#include "types.h"

/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Attr_delete.3.html">MPI_Attr_delete</a>. */
int MPI_Attr_delete(MPI_Comm comm, int keyval);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Attr_get.3.html">MPI_Attr_get</a>. */
int MPI_Attr_get(MPI_Comm comm, int keyval, void* attribute_val, int* flag);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Attr_put.3.html">MPI_Attr_put</a>. */
int MPI_Attr_put(MPI_Comm comm, int keyval, void* attribute_val);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Keyval_create.3.html">MPI_Keyval_create</a>. */
int MPI_Keyval_create(MPI_Copy_function* copy_fn, MPI_Delete_function* delete_fn, int* keyval, void*
    extra_state);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Keyval_free.3.html">MPI_Keyval_free</a>. */
int MPI_Keyval_free(int* keyval);

#endif

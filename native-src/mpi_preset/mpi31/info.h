// Info objects (MPI-3.1, chapter 9).
#pragma once
#ifndef LOCKSTEP_MPI_BINDINGS

#include "types.h"

/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Info_create.3.html">MPI_Info_create</a>. */
int MPI_Info_create(MPI_Info* info);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Info_delete.3.html">MPI_Info_delete</a>. */
int MPI_Info_delete(MPI_Info info, const char* key);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Info_dup.3.html">MPI_Info_dup</a>. */
int MPI_Info_dup(MPI_Info info, MPI_Info* newinfo);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Info_free.3.html">MPI_Info_free</a>. */
int MPI_Info_free(MPI_Info* info);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Info_get.3.html">MPI_Info_get</a>. */
int MPI_Info_get(MPI_Info info, const char* key, int valuelen, char* value, int* flag);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Info_get_nkeys.3.html">MPI_Info_get_nkeys</a>. */
int MPI_Info_get_nkeys(MPI_Info info, int* nkeys);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Info_get_nthkey.3.html">MPI_Info_get_nthkey</a>. */
int MPI_Info_get_nthkey(MPI_Info info, int n, char* key);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Info_get_valuelen.3.html">MPI_Info_get_valuelen</a>. */
int MPI_Info_get_valuelen(MPI_Info info, const char* key, int* valuelen, int* flag);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Info_set.3.html">MPI_Info_set</a>. */
int MPI_Info_set(MPI_Info info, const char* key, const char* value);

#endif

// Attributes and names of communicators, datatypes and windows (MPI-3.1, sections 6.7 and 6.8).
#pragma once
#ifndef LOCKSTEP_MPI_BINDINGS

#include "types.h"

/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Comm_create_keyval.3.html">MPI_Comm_create_keyval</a>. */
int MPI_Comm_create_keyval(MPI_Comm_copy_attr_function* comm_copy_attr_fn, MPI_Comm_delete_attr_function*
    comm_delete_attr_fn, int* comm_keyval, void* extra_state);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Comm_delete_attr.3.html">MPI_Comm_delete_attr</a>. */
int MPI_Comm_delete_attr(MPI_Comm comm, int comm_keyval);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Comm_free_keyval.3.html">MPI_Comm_free_keyval</a>. */
int MPI_Comm_free_keyval(int* comm_keyval);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Comm_get_attr.3.html">MPI_Comm_get_attr</a>. */
int MPI_Comm_get_attr(MPI_Comm comm, int comm_keyval, void* attribute_val, int* flag);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Comm_get_name.3.html">MPI_Comm_get_name</a>. */
int MPI_Comm_get_name(MPI_Comm comm, char* comm_name, int* resultlen);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Comm_set_attr.3.html">MPI_Comm_set_attr</a>. */
int MPI_Comm_set_attr(MPI_Comm comm, int comm_keyval, void* attribute_val);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Comm_set_name.3.html">MPI_Comm_set_name</a>. */
int MPI_Comm_set_name(MPI_Comm comm, const char* comm_name);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Type_create_keyval.3.html">MPI_Type_create_keyval</a>. */
int MPI_Type_create_keyval(MPI_Type_copy_attr_function* type_copy_attr_fn, MPI_Type_delete_attr_function*
    type_delete_attr_fn, int* type_keyval, void* extra_state);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Type_delete_attr.3.html">MPI_Type_delete_attr</a>. */
int MPI_Type_delete_attr(MPI_Datatype datatype, int type_keyval);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Type_free_keyval.3.html">MPI_Type_free_keyval</a>. */
int MPI_Type_free_keyval(int* type_keyval);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Type_get_attr.3.html">MPI_Type_get_attr</a>. */
int MPI_Type_get_attr(MPI_Datatype datatype, int type_keyval, void* attribute_val, int* flag);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Type_get_name.3.html">MPI_Type_get_name</a>. */
int MPI_Type_get_name(MPI_Datatype datatype, char* type_name, int* resultlen);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Type_set_attr.3.html">MPI_Type_set_attr</a>. */
int MPI_Type_set_attr(MPI_Datatype datatype, int type_keyval, void* attribute_val);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Type_set_name.3.html">MPI_Type_set_name</a>. */
int MPI_Type_set_name(MPI_Datatype datatype, const char* type_name);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Win_create_keyval.3.html">MPI_Win_create_keyval</a>. */
int MPI_Win_create_keyval(MPI_Win_copy_attr_function* win_copy_attr_fn, MPI_Win_delete_attr_function*
    win_delete_attr_fn, int* win_keyval, void* extra_state);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Win_delete_attr.3.html">MPI_Win_delete_attr</a>. */
int MPI_Win_delete_attr(MPI_Win win, int win_keyval);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Win_free_keyval.3.html">MPI_Win_free_keyval</a>. */
int MPI_Win_free_keyval(int* win_keyval);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Win_get_attr.3.html">MPI_Win_get_attr</a>. */
int MPI_Win_get_attr(MPI_Win win, int win_keyval, void* attribute_val, int* flag);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Win_get_name.3.html">MPI_Win_get_name</a>. */
int MPI_Win_get_name(MPI_Win win, char* win_name, int* resultlen);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Win_set_attr.3.html">MPI_Win_set_attr</a>. */
int MPI_Win_set_attr(MPI_Win win, int win_keyval, void* attribute_val);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Win_set_name.3.html">MPI_Win_set_name</a>. */
int MPI_Win_set_name(MPI_Win win, const char* win_name);

#endif

// Handles of Fortran and parameterised types (MPI-3.1, chapter 17).
#pragma once
#ifndef LOCKSTEP_MPI_BINDINGS

#include "types.h"

/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Comm_c2f.3.html">MPI_Comm_c2f</a>. */
int MPI_Comm_c2f(MPI_Comm comm);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Comm_f2c.3.html">MPI_Comm_f2c</a>. */
MPI_Comm MPI_Comm_f2c(int comm);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Errhandler_c2f.3.html">MPI_Errhandler_c2f</a>. */
int MPI_Errhandler_c2f(MPI_Errhandler errhandler);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Errhandler_f2c.3.html">MPI_Errhandler_f2c</a>. */
MPI_Errhandler MPI_Errhandler_f2c(int errhandler);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_c2f.3.html">MPI_File_c2f</a>. */
MPI_Fint MPI_File_c2f(MPI_File file);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_f2c.3.html">MPI_File_f2c</a>. */
MPI_File MPI_File_f2c(MPI_Fint file);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Group_c2f.3.html">MPI_Group_c2f</a>. */
int MPI_Group_c2f(MPI_Group group);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Group_f2c.3.html">MPI_Group_f2c</a>. */
MPI_Group MPI_Group_f2c(int group);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Info_c2f.3.html">MPI_Info_c2f</a>. */
int MPI_Info_c2f(MPI_Info info);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Info_f2c.3.html">MPI_Info_f2c</a>. */
MPI_Info MPI_Info_f2c(int info);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Message_c2f.3.html">MPI_Message_c2f</a>. */
int MPI_Message_c2f(MPI_Message message);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Message_f2c.3.html">MPI_Message_f2c</a>. */
MPI_Message MPI_Message_f2c(int message);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Op_c2f.3.html">MPI_Op_c2f</a>. */
int MPI_Op_c2f(MPI_Op op);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Op_f2c.3.html">MPI_Op_f2c</a>. */
MPI_Op MPI_Op_f2c(int op);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Request_c2f.3.html">MPI_Request_c2f</a>. */
int MPI_Request_c2f(MPI_Request request);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Request_f2c.3.html">MPI_Request_f2c</a>. */
MPI_Request MPI_Request_f2c(int request);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Status_c2f.3.html">MPI_Status_c2f</a>. */
int MPI_Status_c2f(const MPI_Status* c_status, MPI_Fint* f_status);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Status_f2c.3.html">MPI_Status_f2c</a>. */
int MPI_Status_f2c(const MPI_Fint* f_status, MPI_Status* c_status);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Type_c2f.3.html">MPI_Type_c2f</a>. */
int MPI_Type_c2f(MPI_Datatype datatype);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Type_create_f90_complex.3.html">MPI_Type_create_f90_complex</a>. */
int MPI_Type_create_f90_complex(int p, int r, MPI_Datatype* newtype);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Type_create_f90_integer.3.html">MPI_Type_create_f90_integer</a>. */
int MPI_Type_create_f90_integer(int r, MPI_Datatype* newtype);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Type_create_f90_real.3.html">MPI_Type_create_f90_real</a>. */
int MPI_Type_create_f90_real(int p, int r, MPI_Datatype* newtype);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Type_f2c.3.html">MPI_Type_f2c</a>. */
MPI_Datatype MPI_Type_f2c(int datatype);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Type_match_size.3.html">MPI_Type_match_size</a>. */
int MPI_Type_match_size(int typeclass, int size, MPI_Datatype* datatype);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Win_c2f.3.html">MPI_Win_c2f</a>. */
int MPI_Win_c2f(MPI_Win win);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Win_f2c.3.html">MPI_Win_f2c</a>. */
MPI_Win MPI_Win_f2c(int win);

#endif

// Environment, error handling, memory, time and start-up (MPI-3.1, chapter 8 and section 12.4).
#pragma once
#ifndef LOCKSTEP_MPI_BINDINGS

#include "types.h"

/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Abort.3.html">MPI_Abort</a>. */
int MPI_Abort(MPI_Comm comm, int errorcode);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Add_error_class.3.html">MPI_Add_error_class</a>. */
int MPI_Add_error_class(int* errorclass);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Add_error_code.3.html">MPI_Add_error_code</a>. */
int MPI_Add_error_code(int errorclass, int* errorcode);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Add_error_string.3.html">MPI_Add_error_string</a>. */
int MPI_Add_error_string(int errorcode, const char* string);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Alloc_mem.3.html">MPI_Alloc_mem</a>. */
int MPI_Alloc_mem(MPI_Aint size, MPI_Info info, void* baseptr);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Comm_call_errhandler.3.html">MPI_Comm_call_errhandler</a>. */
int MPI_Comm_call_errhandler(MPI_Comm comm, int errorcode);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Comm_create_errhandler.3.html">MPI_Comm_create_errhandler</a>. */
int MPI_Comm_create_errhandler(MPI_Comm_errhandler_function* comm_errhandler_fn, MPI_Errhandler* errhandler);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Comm_get_errhandler.3.html">MPI_Comm_get_errhandler</a>. */
int MPI_Comm_get_errhandler(MPI_Comm comm, MPI_Errhandler* errhandler);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Comm_set_errhandler.3.html">MPI_Comm_set_errhandler</a>. */
int MPI_Comm_set_errhandler(MPI_Comm comm, MPI_Errhandler errhandler);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Errhandler_free.3.html">MPI_Errhandler_free</a>. */
int MPI_Errhandler_free(MPI_Errhandler* errhandler);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Error_class.3.html">MPI_Error_class</a>. */
int MPI_Error_class(int errorcode, int* errorclass);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Error_string.3.html">MPI_Error_string</a>. */
int MPI_Error_string(int errorcode, char* string, int* resultlen);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_call_errhandler.3.html">MPI_File_call_errhandler</a>. */
int MPI_File_call_errhandler(MPI_File fh, int errorcode);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_create_errhandler.3.html">MPI_File_create_errhandler</a>. */
int MPI_File_create_errhandler(MPI_File_errhandler_function* file_errhandler_fn, MPI_Errhandler* errhandler);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_get_errhandler.3.html">MPI_File_get_errhandler</a>. */
int MPI_File_get_errhandler(MPI_File file, MPI_Errhandler* errhandler);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_set_errhandler.3.html">MPI_File_set_errhandler</a>. */
int MPI_File_set_errhandler(MPI_File file, MPI_Errhandler errhandler);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Finalize.3.html">MPI_Finalize</a>. */
int MPI_Finalize(void);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Finalized.3.html">MPI_Finalized</a>. */
int MPI_Finalized(int* flag);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Free_mem.3.html">MPI_Free_mem</a>. */
int MPI_Free_mem(void* base);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Get_library_version.3.html">MPI_Get_library_version</a>. */
int MPI_Get_library_version(char* version, int* resultlen);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Get_processor_name.3.html">MPI_Get_processor_name</a>. */
int MPI_Get_processor_name(char* name, int* resultlen);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Get_version.3.html">MPI_Get_version</a>. */
int MPI_Get_version(int* version, int* subversion);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Init.3.html">MPI_Init</a>. */
int MPI_Init(int* argc, char*** argv);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Init_thread.3.html">MPI_Init_thread</a>. */
int MPI_Init_thread(int* argc, char*** argv, int required, int* provided);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Initialized.3.html">MPI_Initialized</a>. */
int MPI_Initialized(int* flag);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Is_thread_main.3.html">MPI_Is_thread_main</a>. */
int MPI_Is_thread_main(int* flag);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Pcontrol.3.html">MPI_Pcontrol</a>. */
int MPI_Pcontrol(const int level);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Query_thread.3.html">MPI_Query_thread</a>. */
int MPI_Query_thread(int* provided);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Win_call_errhandler.3.html">MPI_Win_call_errhandler</a>. */
int MPI_Win_call_errhandler(MPI_Win win, int errorcode);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Win_create_errhandler.3.html">MPI_Win_create_errhandler</a>. */
int MPI_Win_create_errhandler(MPI_Win_errhandler_function* win_errhandler_fn, MPI_Errhandler* errhandler);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Win_get_errhandler.3.html">MPI_Win_get_errhandler</a>. */
int MPI_Win_get_errhandler(MPI_Win win, MPI_Errhandler* errhandler);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Win_set_errhandler.3.html">MPI_Win_set_errhandler</a>. */
int MPI_Win_set_errhandler(MPI_Win win, MPI_Errhandler errhandler);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Wtick.3.html">MPI_Wtick</a>. */
double MPI_Wtick(void);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Wtime.3.html">MPI_Wtime</a>. */
double MPI_Wtime(void);

#endif

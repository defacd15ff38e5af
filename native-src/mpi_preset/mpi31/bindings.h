// What the generated bindings are compiled with: the mpi.h of one MPI, and what a JVM needs beside it.
#pragma once
#ifdef LOCKSTEP_MPI_BINDINGS

#include <mpi.h>

#include "backends/mpi/signal_guard.h"

// Arrays that MPI reads until a non-blocking operation is complete. Java passes only native memory for them: of an
// int[] the JVM gives a copy that ends with the call.
typedef int mpi_kept_int;
typedef MPI_Aint mpi_kept_aint;
// JavaCPP takes a char*** for the address of a PointerPointer rather than its value.
typedef char*** mpi_argvs;

namespace lockstep_mpi {

// Error handlers are variadic in C, with nothing portable behind the two named arguments. A Java callback takes
// these two; the calling conventions of the platforms that Lockstep supports pass them alike.
typedef void comm_errhandler(MPI_Comm*, int*);
typedef void win_errhandler(MPI_Win*, int*);
typedef void file_errhandler(MPI_File*, int*);

inline int create_comm_errhandler(comm_errhandler* function, MPI_Errhandler* handler) {
  return MPI_Comm_create_errhandler(reinterpret_cast<MPI_Comm_errhandler_function*>(function), handler);
}
inline int create_win_errhandler(win_errhandler* function, MPI_Errhandler* handler) {
  return MPI_Win_create_errhandler(reinterpret_cast<MPI_Win_errhandler_function*>(function), handler);
}
inline int create_file_errhandler(file_errhandler* function, MPI_Errhandler* handler) {
  return MPI_File_create_errhandler(reinterpret_cast<MPI_File_errhandler_function*>(function), handler);
}

inline int init(int* argc, char*** argv) {
  lockstep::SignalGuard faults_belong_to_the_jvm;
  return MPI_Init(argc, argv);
}
inline int init_thread(int* argc, char*** argv, int required, int* provided) {
  lockstep::SignalGuard faults_belong_to_the_jvm;
  return MPI_Init_thread(argc, argv, required, provided);
}

}  // namespace lockstep_mpi

#define MPI_Comm_errhandler_function lockstep_mpi::comm_errhandler
#define MPI_Win_errhandler_function lockstep_mpi::win_errhandler
#define MPI_File_errhandler_function lockstep_mpi::file_errhandler
#define MPI_Comm_create_errhandler lockstep_mpi::create_comm_errhandler
#define MPI_Win_create_errhandler lockstep_mpi::create_win_errhandler
#define MPI_File_create_errhandler lockstep_mpi::create_file_errhandler
#define MPI_Init lockstep_mpi::init
#define MPI_Init_thread lockstep_mpi::init_thread

#endif

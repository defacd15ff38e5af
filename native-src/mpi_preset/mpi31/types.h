// Handles, statuses and callback types of MPI-3.1. This is what the JavaCPP parser sees; the compiler sees the mpi.h
// of Open MPI or of MPICH (bindings.h), where the same names are pointers or integers.
#pragma once
#ifndef LOCKSTEP_MPI_BINDINGS

typedef int MPI_Fint;
typedef long MPI_Aint;
typedef long MPI_Offset;
typedef long MPI_Count;

/** A communicator. */
struct MPI_Comm { void* value; };
/** A type of data. */
struct MPI_Datatype { void* value; };
/** An operation of reductions. */
struct MPI_Op { void* value; };
/** An ordered set of processes. */
struct MPI_Group { void* value; };
/** A non-blocking or persistent operation. */
struct MPI_Request { void* value; };
/** A message that MPI_Mprobe has matched. */
struct MPI_Message { void* value; };
/** A window of memory for one-sided communication. */
struct MPI_Win { void* value; };
/** An open file. */
struct MPI_File { void* value; };
/** A set of hints: keys with values. */
struct MPI_Info { void* value; };
/** What MPI does about errors. */
struct MPI_Errhandler { void* value; };
/** Names of the values of a control or performance variable. */
struct MPI_T_enum { void* value; };
/** A control variable, ready to be read or written. */
struct MPI_T_cvar_handle { void* value; };
/** A performance variable, ready to be read or started. */
struct MPI_T_pvar_handle { void* value; };
/** The scope in which performance variables are measured. */
struct MPI_T_pvar_session { void* value; };

/** What a receive has received. */
struct MPI_Status {
  int MPI_SOURCE;
  int MPI_TAG;
  int MPI_ERROR;
};

/** A reduction: inoutvec[i] = invec[i] op inoutvec[i] for each i below the number that len points to. */
typedef void MPI_User_function(void* invec, void* inoutvec, int* len, MPI_Datatype* datatype);

/** Called for an error on a communicator. */
typedef void MPI_Comm_errhandler_function(MPI_Comm* comm, int* error_code);
/** Called for an error on a window. */
typedef void MPI_Win_errhandler_function(MPI_Win* win, int* error_code);
/** Called for an error on a file. */
typedef void MPI_File_errhandler_function(MPI_File* file, int* error_code);

/** Called for each attribute when a communicator is duplicated. */
typedef int MPI_Comm_copy_attr_function(MPI_Comm oldcomm, int comm_keyval, void* extra_state,
    void* attribute_val_in, void* attribute_val_out, int* flag);
/** Called when an attribute of a communicator is deleted. */
typedef int MPI_Comm_delete_attr_function(MPI_Comm comm, int comm_keyval, void* attribute_val, void* extra_state);
/** Called for each attribute when a datatype is duplicated. */
typedef int MPI_Type_copy_attr_function(MPI_Datatype oldtype, int type_keyval, void* extra_state,
    void* attribute_val_in, void* attribute_val_out, int* flag);
/** Called when an attribute of a datatype is deleted. */
typedef int MPI_Type_delete_attr_function(MPI_Datatype datatype, int type_keyval, void* attribute_val,
    void* extra_state);
/** Called for each attribute of a window that is duplicated. */
typedef int MPI_Win_copy_attr_function(MPI_Win oldwin, int win_keyval, void* extra_state, void* attribute_val_in,
    void* attribute_val_out, int* flag);
/** Called when an attribute of a window is deleted. */
typedef int MPI_Win_delete_attr_function(MPI_Win win, int win_keyval, void* attribute_val, void* extra_state);
/** The deprecated form of {@link MPI_Comm_copy_attr_function}. */
typedef int MPI_Copy_function(MPI_Comm oldcomm, int keyval, void* extra_state, void* attribute_val_in,
    void* attribute_val_out, int* flag);
/** The deprecated form of {@link MPI_Comm_delete_attr_function}. */
typedef int MPI_Delete_function(MPI_Comm comm, int keyval, void* attribute_val, void* extra_state);

/** Fills the status of a generalised request. */
typedef int MPI_Grequest_query_function(void* extra_state, MPI_Status* status);
/** Frees a generalised request. */
typedef int MPI_Grequest_free_function(void* extra_state);
/** Cancels a generalised request. */
typedef int MPI_Grequest_cancel_function(void* extra_state, int complete);

/** Extent of a datatype in a file's own data representation. */
typedef int MPI_Datarep_extent_function(MPI_Datatype datatype, MPI_Aint* extent, void* extra_state);
/** Converts between a file's data representation and the native one. */
typedef int MPI_Datarep_conversion_function(void* userbuf, MPI_Datatype datatype, int count, void* filebuf,
    MPI_Offset position, void* extra_state);

#endif

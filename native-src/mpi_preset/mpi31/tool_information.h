// Tool information interface (MPI-3.1, chapter 14.3).
#pragma once
#ifndef LOCKSTEP_MPI_BINDINGS

#include "types.h"

/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_T_category_changed.3.html">MPI_T_category_changed</a>. */
int MPI_T_category_changed(int* update_number);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_T_category_get_categories.3.html">MPI_T_category_get_categories</a>. */
int MPI_T_category_get_categories(int cat_index, int len, int indices[]);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_T_category_get_cvars.3.html">MPI_T_category_get_cvars</a>. */
int MPI_T_category_get_cvars(int cat_index, int len, int indices[]);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_T_category_get_index.3.html">MPI_T_category_get_index</a>. */
int MPI_T_category_get_index(const char* name, int* cat_index);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_T_category_get_info.3.html">MPI_T_category_get_info</a>. */
int MPI_T_category_get_info(int cat_index, char* name, int* name_len, char* desc, int* desc_len, int*
    num_cvars, int* num_pvars, int* num_categories);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_T_category_get_num.3.html">MPI_T_category_get_num</a>. */
int MPI_T_category_get_num(int* num_cat);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_T_category_get_pvars.3.html">MPI_T_category_get_pvars</a>. */
int MPI_T_category_get_pvars(int cat_index, int len, int indices[]);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_T_cvar_get_index.3.html">MPI_T_cvar_get_index</a>. */
int MPI_T_cvar_get_index(const char* name, int* cvar_index);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_T_cvar_get_info.3.html">MPI_T_cvar_get_info</a>. */
int MPI_T_cvar_get_info(int cvar_index, char* name, int* name_len, int* verbosity, MPI_Datatype* datatype,
    MPI_T_enum* enumtype, char* desc, int* desc_len, int* bind, int* scope);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_T_cvar_get_num.3.html">MPI_T_cvar_get_num</a>. */
int MPI_T_cvar_get_num(int* num_cvar);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_T_cvar_handle_alloc.3.html">MPI_T_cvar_handle_alloc</a>. */
int MPI_T_cvar_handle_alloc(int cvar_index, void* obj_handle, MPI_T_cvar_handle* handle, int* count);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_T_cvar_handle_free.3.html">MPI_T_cvar_handle_free</a>. */
int MPI_T_cvar_handle_free(MPI_T_cvar_handle* handle);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_T_cvar_read.3.html">MPI_T_cvar_read</a>. */
int MPI_T_cvar_read(MPI_T_cvar_handle handle, void* buf);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_T_cvar_write.3.html">MPI_T_cvar_write</a>. */
int MPI_T_cvar_write(MPI_T_cvar_handle handle, const void* buf);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_T_enum_get_info.3.html">MPI_T_enum_get_info</a>. */
int MPI_T_enum_get_info(MPI_T_enum enumtype, int* num, char* name, int* name_len);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_T_enum_get_item.3.html">MPI_T_enum_get_item</a>. */
int MPI_T_enum_get_item(MPI_T_enum enumtype, int indx, int* value, char* name, int* name_len);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_T_finalize.3.html">MPI_T_finalize</a>. */
int MPI_T_finalize(void);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_T_init_thread.3.html">MPI_T_init_thread</a>. */
int MPI_T_init_thread(int required, int* provided);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_T_pvar_get_index.3.html">MPI_T_pvar_get_index</a>. */
int MPI_T_pvar_get_index(const char* name, int var_class, int* pvar_index);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_T_pvar_get_info.3.html">MPI_T_pvar_get_info</a>. */
int MPI_T_pvar_get_info(int pvar_index, char* name, int* name_len, int* verbosity, int* var_class,
    MPI_Datatype* datatype, MPI_T_enum* enumtype, char* desc, int* desc_len, int* bind, int* readonly, int*
    continuous, int* atomic);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_T_pvar_get_num.3.html">MPI_T_pvar_get_num</a>. */
int MPI_T_pvar_get_num(int* num_pvar);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_T_pvar_handle_alloc.3.html">MPI_T_pvar_handle_alloc</a>. */
int MPI_T_pvar_handle_alloc(MPI_T_pvar_session session, int pvar_index, void* obj_handle, MPI_T_pvar_handle*
    handle, int* count);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_T_pvar_handle_free.3.html">MPI_T_pvar_handle_free</a>. */
int MPI_T_pvar_handle_free(MPI_T_pvar_session session, MPI_T_pvar_handle* handle);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_T_pvar_read.3.html">MPI_T_pvar_read</a>. */
int MPI_T_pvar_read(MPI_T_pvar_session session, MPI_T_pvar_handle handle, void* buf);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_T_pvar_readreset.3.html">MPI_T_pvar_readreset</a>. */
int MPI_T_pvar_readreset(MPI_T_pvar_session session, MPI_T_pvar_handle handle, void* buf);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_T_pvar_reset.3.html">MPI_T_pvar_reset</a>. */
int MPI_T_pvar_reset(MPI_T_pvar_session session, MPI_T_pvar_handle handle);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_T_pvar_session_create.3.html">MPI_T_pvar_session_create</a>. */
int MPI_T_pvar_session_create(MPI_T_pvar_session* session);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_T_pvar_session_free.3.html">MPI_T_pvar_session_free</a>. */
int MPI_T_pvar_session_free(MPI_T_pvar_session* session);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_T_pvar_start.3.html">MPI_T_pvar_start</a>. */
int MPI_T_pvar_start(MPI_T_pvar_session session, MPI_T_pvar_handle handle);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_T_pvar_stop.3.html">MPI_T_pvar_stop</a>. */
int MPI_T_pvar_stop(MPI_T_pvar_session session, MPI_T_pvar_handle handle);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_T_pvar_write.3.html">MPI_T_pvar_write</a>. */
int MPI_T_pvar_write(MPI_T_pvar_session session, MPI_T_pvar_handle handle, const void* buf);

#endif

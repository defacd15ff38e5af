// One-sided communication (MPI-3.1, chapter 11).
#pragma once
#ifndef LOCKSTEP_MPI_BINDINGS

#include "types.h"

/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Accumulate.3.html">MPI_Accumulate</a>. */
int MPI_Accumulate(const void* origin_addr, int origin_count, MPI_Datatype origin_datatype, int target_rank,
    MPI_Aint target_disp, int target_count, MPI_Datatype target_datatype, MPI_Op op, MPI_Win win);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Compare_and_swap.3.html">MPI_Compare_and_swap</a>. */
int MPI_Compare_and_swap(const void* origin_addr, const void* compare_addr, void* result_addr, MPI_Datatype
    datatype, int target_rank, MPI_Aint target_disp, MPI_Win win);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Fetch_and_op.3.html">MPI_Fetch_and_op</a>. */
int MPI_Fetch_and_op(const void* origin_addr, void* result_addr, MPI_Datatype datatype, int target_rank,
    MPI_Aint target_disp, MPI_Op op, MPI_Win win);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Get.3.html">MPI_Get</a>. */
int MPI_Get(void* origin_addr, int origin_count, MPI_Datatype origin_datatype, int target_rank, MPI_Aint
    target_disp, int target_count, MPI_Datatype target_datatype, MPI_Win win);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Get_accumulate.3.html">MPI_Get_accumulate</a>. */
int MPI_Get_accumulate(const void* origin_addr, int origin_count, MPI_Datatype origin_datatype, void*
    result_addr, int result_count, MPI_Datatype result_datatype, int target_rank, MPI_Aint target_disp, int
    target_count, MPI_Datatype target_datatype, MPI_Op op, MPI_Win win);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Put.3.html">MPI_Put</a>. */
int MPI_Put(const void* origin_addr, int origin_count, MPI_Datatype origin_datatype, int target_rank, MPI_Aint
    target_disp, int target_count, MPI_Datatype target_datatype, MPI_Win win);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Raccumulate.3.html">MPI_Raccumulate</a>. */
int MPI_Raccumulate(const void* origin_addr, int origin_count, MPI_Datatype origin_datatype, int target_rank,
    MPI_Aint target_disp, int target_count, MPI_Datatype target_datatype, MPI_Op op, MPI_Win win, MPI_Request*
    request);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Rget.3.html">MPI_Rget</a>. */
int MPI_Rget(void* origin_addr, int origin_count, MPI_Datatype origin_datatype, int target_rank, MPI_Aint
    target_disp, int target_count, MPI_Datatype target_datatype, MPI_Win win, MPI_Request* request);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Rget_accumulate.3.html">MPI_Rget_accumulate</a>. */
int MPI_Rget_accumulate(const void* origin_addr, int origin_count, MPI_Datatype origin_datatype, void*
    result_addr, int result_count, MPI_Datatype result_datatype, int target_rank, MPI_Aint target_disp, int
    target_count, MPI_Datatype target_datatype, MPI_Op op, MPI_Win win, MPI_Request* request);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Rput.3.html">MPI_Rput</a>. */
int MPI_Rput(const void* origin_addr, int origin_count, MPI_Datatype origin_datatype, int target_rank,
    MPI_Aint target_disp, int target_count, MPI_Datatype target_datatype, MPI_Win win, MPI_Request* request);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Win_allocate.3.html">MPI_Win_allocate</a>. */
int MPI_Win_allocate(MPI_Aint size, int disp_unit, MPI_Info info, MPI_Comm comm, void* baseptr, MPI_Win* win);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Win_allocate_shared.3.html">MPI_Win_allocate_shared</a>. */
int MPI_Win_allocate_shared(MPI_Aint size, int disp_unit, MPI_Info info, MPI_Comm comm, void* baseptr,
    MPI_Win* win);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Win_attach.3.html">MPI_Win_attach</a>. */
int MPI_Win_attach(MPI_Win win, void* base, MPI_Aint size);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Win_complete.3.html">MPI_Win_complete</a>. */
int MPI_Win_complete(MPI_Win win);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Win_create.3.html">MPI_Win_create</a>. */
int MPI_Win_create(void* base, MPI_Aint size, int disp_unit, MPI_Info info, MPI_Comm comm, MPI_Win* win);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Win_create_dynamic.3.html">MPI_Win_create_dynamic</a>. */
int MPI_Win_create_dynamic(MPI_Info info, MPI_Comm comm, MPI_Win* win);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Win_detach.3.html">MPI_Win_detach</a>. */
int MPI_Win_detach(MPI_Win win, const void* base);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Win_fence.3.html">MPI_Win_fence</a>. */
int MPI_Win_fence(int assert, MPI_Win win);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Win_flush.3.html">MPI_Win_flush</a>. */
int MPI_Win_flush(int rank, MPI_Win win);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Win_flush_all.3.html">MPI_Win_flush_all</a>. */
int MPI_Win_flush_all(MPI_Win win);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Win_flush_local.3.html">MPI_Win_flush_local</a>. */
int MPI_Win_flush_local(int rank, MPI_Win win);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Win_flush_local_all.3.html">MPI_Win_flush_local_all</a>. */
int MPI_Win_flush_local_all(MPI_Win win);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Win_free.3.html">MPI_Win_free</a>. */
int MPI_Win_free(MPI_Win* win);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Win_get_group.3.html">MPI_Win_get_group</a>. */
int MPI_Win_get_group(MPI_Win win, MPI_Group* group);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Win_get_info.3.html">MPI_Win_get_info</a>. */
int MPI_Win_get_info(MPI_Win win, MPI_Info* info_used);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Win_lock.3.html">MPI_Win_lock</a>. */
int MPI_Win_lock(int lock_type, int rank, int assert, MPI_Win win);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Win_lock_all.3.html">MPI_Win_lock_all</a>. */
int MPI_Win_lock_all(int assert, MPI_Win win);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Win_post.3.html">MPI_Win_post</a>. */
int MPI_Win_post(MPI_Group group, int assert, MPI_Win win);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Win_set_info.3.html">MPI_Win_set_info</a>. */
int MPI_Win_set_info(MPI_Win win, MPI_Info info);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Win_shared_query.3.html">MPI_Win_shared_query</a>. */
int MPI_Win_shared_query(MPI_Win win, int rank, MPI_Aint* size, int* disp_unit, void* baseptr);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Win_start.3.html">MPI_Win_start</a>. */
int MPI_Win_start(MPI_Group group, int assert, MPI_Win win);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Win_sync.3.html">MPI_Win_sync</a>. */
int MPI_Win_sync(MPI_Win win);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Win_test.3.html">MPI_Win_test</a>. */
int MPI_Win_test(MPI_Win win, int* flag);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Win_unlock.3.html">MPI_Win_unlock</a>. */
int MPI_Win_unlock(int rank, MPI_Win win);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Win_unlock_all.3.html">MPI_Win_unlock_all</a>. */
int MPI_Win_unlock_all(MPI_Win win);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Win_wait.3.html">MPI_Win_wait</a>. */
int MPI_Win_wait(MPI_Win win);

#endif

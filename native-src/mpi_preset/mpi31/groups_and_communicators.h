// Groups and communicators (MPI-3.1, chapter 6).
#pragma once
#ifndef LOCKSTEP_MPI_BINDINGS

#include "types.h"

/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Comm_compare.3.html">MPI_Comm_compare</a>. */
int MPI_Comm_compare(MPI_Comm comm1, MPI_Comm comm2, int* result);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Comm_create.3.html">MPI_Comm_create</a>. */
int MPI_Comm_create(MPI_Comm comm, MPI_Group group, MPI_Comm* newcomm);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Comm_create_group.3.html">MPI_Comm_create_group</a>. */
int MPI_Comm_create_group(MPI_Comm comm, MPI_Group group, int tag, MPI_Comm* newcomm);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Comm_dup.3.html">MPI_Comm_dup</a>. */
int MPI_Comm_dup(MPI_Comm comm, MPI_Comm* newcomm);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Comm_dup_with_info.3.html">MPI_Comm_dup_with_info</a>. */
int MPI_Comm_dup_with_info(MPI_Comm comm, MPI_Info info, MPI_Comm* newcomm);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Comm_free.3.html">MPI_Comm_free</a>. */
int MPI_Comm_free(MPI_Comm* comm);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Comm_get_info.3.html">MPI_Comm_get_info</a>. */
int MPI_Comm_get_info(MPI_Comm comm, MPI_Info* info_used);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Comm_group.3.html">MPI_Comm_group</a>. */
int MPI_Comm_group(MPI_Comm comm, MPI_Group* group);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Comm_idup.3.html">MPI_Comm_idup</a>. */
int MPI_Comm_idup(MPI_Comm comm, MPI_Comm* newcomm, MPI_Request* request);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Comm_rank.3.html">MPI_Comm_rank</a>. */
int MPI_Comm_rank(MPI_Comm comm, int* rank);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Comm_remote_group.3.html">MPI_Comm_remote_group</a>. */
int MPI_Comm_remote_group(MPI_Comm comm, MPI_Group* group);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Comm_remote_size.3.html">MPI_Comm_remote_size</a>. */
int MPI_Comm_remote_size(MPI_Comm comm, int* size);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Comm_set_info.3.html">MPI_Comm_set_info</a>. */
int MPI_Comm_set_info(MPI_Comm comm, MPI_Info info);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Comm_size.3.html">MPI_Comm_size</a>. */
int MPI_Comm_size(MPI_Comm comm, int* size);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Comm_split.3.html">MPI_Comm_split</a>. */
int MPI_Comm_split(MPI_Comm comm, int color, int key, MPI_Comm* newcomm);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Comm_split_type.3.html">MPI_Comm_split_type</a>. */
int MPI_Comm_split_type(MPI_Comm comm, int split_type, int key, MPI_Info info, MPI_Comm* newcomm);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Comm_test_inter.3.html">MPI_Comm_test_inter</a>. */
int MPI_Comm_test_inter(MPI_Comm comm, int* flag);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Group_compare.3.html">MPI_Group_compare</a>. */
int MPI_Group_compare(MPI_Group group1, MPI_Group group2, int* result);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Group_difference.3.html">MPI_Group_difference</a>. */
int MPI_Group_difference(MPI_Group group1, MPI_Group group2, MPI_Group* newgroup);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Group_excl.3.html">MPI_Group_excl</a>. */
int MPI_Group_excl(MPI_Group group, int n, const int ranks[], MPI_Group* newgroup);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Group_free.3.html">MPI_Group_free</a>. */
int MPI_Group_free(MPI_Group* group);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Group_incl.3.html">MPI_Group_incl</a>. */
int MPI_Group_incl(MPI_Group group, int n, const int ranks[], MPI_Group* newgroup);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Group_intersection.3.html">MPI_Group_intersection</a>. */
int MPI_Group_intersection(MPI_Group group1, MPI_Group group2, MPI_Group* newgroup);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Group_range_excl.3.html">MPI_Group_range_excl</a>. */
int MPI_Group_range_excl(MPI_Group group, int n, int ranges[][3], MPI_Group* newgroup);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Group_range_incl.3.html">MPI_Group_range_incl</a>. */
int MPI_Group_range_incl(MPI_Group group, int n, int ranges[][3], MPI_Group* newgroup);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Group_rank.3.html">MPI_Group_rank</a>. */
int MPI_Group_rank(MPI_Group group, int* rank);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Group_size.3.html">MPI_Group_size</a>. */
int MPI_Group_size(MPI_Group group, int* size);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Group_translate_ranks.3.html">MPI_Group_translate_ranks</a>. */
int MPI_Group_translate_ranks(MPI_Group group1, int n, const int ranks1[], MPI_Group group2, int ranks2[]);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Group_union.3.html">MPI_Group_union</a>. */
int MPI_Group_union(MPI_Group group1, MPI_Group group2, MPI_Group* newgroup);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Intercomm_create.3.html">MPI_Intercomm_create</a>. */
int MPI_Intercomm_create(MPI_Comm local_comm, int local_leader, MPI_Comm peer_comm, int remote_leader, int
    tag, MPI_Comm* newintercomm);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Intercomm_merge.3.html">MPI_Intercomm_merge</a>. */
int MPI_Intercomm_merge(MPI_Comm intercomm, int high, MPI_Comm* newintracomm);

#endif

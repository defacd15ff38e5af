// Process topologies and neighbourhood collectives (MPI-3.1, chapter 7).
#pragma once
#ifndef LOCKSTEP_MPI_BINDINGS

#include "types.h"

/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Cart_coords.3.html">MPI_Cart_coords</a>. */
int MPI_Cart_coords(MPI_Comm comm, int rank, int maxdims, int coords[]);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Cart_create.3.html">MPI_Cart_create</a>. */
int MPI_Cart_create(MPI_Comm comm_old, int ndims, const int dims[], const int periods[], int reorder,
    MPI_Comm* comm_cart);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Cart_get.3.html">MPI_Cart_get</a>. */
int MPI_Cart_get(MPI_Comm comm, int maxdims, int dims[], int periods[], int coords[]);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Cart_map.3.html">MPI_Cart_map</a>. */
int MPI_Cart_map(MPI_Comm comm, int ndims, const int dims[], const int periods[], int* newrank);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Cart_rank.3.html">MPI_Cart_rank</a>. */
int MPI_Cart_rank(MPI_Comm comm, const int coords[], int* rank);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Cart_shift.3.html">MPI_Cart_shift</a>. */
int MPI_Cart_shift(MPI_Comm comm, int direction, int disp, int* rank_source, int* rank_dest);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Cart_sub.3.html">MPI_Cart_sub</a>. */
int MPI_Cart_sub(MPI_Comm comm, const int remain_dims[], MPI_Comm* newcomm);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Cartdim_get.3.html">MPI_Cartdim_get</a>. */
int MPI_Cartdim_get(MPI_Comm comm, int* ndims);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Dims_create.3.html">MPI_Dims_create</a>. */
int MPI_Dims_create(int nnodes, int ndims, int dims[]);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Dist_graph_create.3.html">MPI_Dist_graph_create</a>. */
int MPI_Dist_graph_create(MPI_Comm comm_old, int n, const int sources[], const int degrees[], const int
    destinations[], const int weights[], MPI_Info info, int reorder, MPI_Comm* comm_dist_graph);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Dist_graph_create_adjacent.3.html">MPI_Dist_graph_create_adjacent</a>. */
int MPI_Dist_graph_create_adjacent(MPI_Comm comm_old, int indegree, const int sources[], const int
    sourceweights[], int outdegree, const int destinations[], const int destweights[], MPI_Info info, int
    reorder, MPI_Comm* comm_dist_graph);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Dist_graph_neighbors.3.html">MPI_Dist_graph_neighbors</a>. */
int MPI_Dist_graph_neighbors(MPI_Comm comm, int maxindegree, int sources[], int sourceweights[], int
    maxoutdegree, int destinations[], int destweights[]);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Dist_graph_neighbors_count.3.html">MPI_Dist_graph_neighbors_count</a>. */
int MPI_Dist_graph_neighbors_count(MPI_Comm comm, int* indegree, int* outdegree, int* weighted);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Graph_create.3.html">MPI_Graph_create</a>. */
int MPI_Graph_create(MPI_Comm comm_old, int nnodes, const int indx[], const int edges[], int reorder,
    MPI_Comm* comm_graph);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Graph_get.3.html">MPI_Graph_get</a>. */
int MPI_Graph_get(MPI_Comm comm, int maxindex, int maxedges, int indx[], int edges[]);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Graph_map.3.html">MPI_Graph_map</a>. */
int MPI_Graph_map(MPI_Comm comm, int nnodes, const int indx[], const int edges[], int* newrank);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Graph_neighbors.3.html">MPI_Graph_neighbors</a>. */
int MPI_Graph_neighbors(MPI_Comm comm, int rank, int maxneighbors, int neighbors[]);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Graph_neighbors_count.3.html">MPI_Graph_neighbors_count</a>. */
int MPI_Graph_neighbors_count(MPI_Comm comm, int rank, int* nneighbors);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Graphdims_get.3.html">MPI_Graphdims_get</a>. */
int MPI_Graphdims_get(MPI_Comm comm, int* nnodes, int* nedges);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Ineighbor_allgather.3.html">MPI_Ineighbor_allgather</a>. */
int MPI_Ineighbor_allgather(const void* sendbuf, int sendcount, MPI_Datatype sendtype, void* recvbuf, int
    recvcount, MPI_Datatype recvtype, MPI_Comm comm, MPI_Request* request);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Ineighbor_allgatherv.3.html">MPI_Ineighbor_allgatherv</a>. */
int MPI_Ineighbor_allgatherv(const void* sendbuf, int sendcount, MPI_Datatype sendtype, void* recvbuf, const
    mpi_kept_int recvcounts[], const mpi_kept_int displs[], MPI_Datatype recvtype, MPI_Comm comm, MPI_Request*
    request);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Ineighbor_alltoall.3.html">MPI_Ineighbor_alltoall</a>. */
int MPI_Ineighbor_alltoall(const void* sendbuf, int sendcount, MPI_Datatype sendtype, void* recvbuf, int
    recvcount, MPI_Datatype recvtype, MPI_Comm comm, MPI_Request* request);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Ineighbor_alltoallv.3.html">MPI_Ineighbor_alltoallv</a>. */
int MPI_Ineighbor_alltoallv(const void* sendbuf, const mpi_kept_int sendcounts[], const mpi_kept_int
    sdispls[], MPI_Datatype sendtype, void* recvbuf, const mpi_kept_int recvcounts[], const mpi_kept_int
    rdispls[], MPI_Datatype recvtype, MPI_Comm comm, MPI_Request* request);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Ineighbor_alltoallw.3.html">MPI_Ineighbor_alltoallw</a>. */
int MPI_Ineighbor_alltoallw(const void* sendbuf, const mpi_kept_int sendcounts[], const mpi_kept_aint
    sdispls[], const MPI_Datatype sendtypes[], void* recvbuf, const mpi_kept_int recvcounts[], const
    mpi_kept_aint rdispls[], const MPI_Datatype recvtypes[], MPI_Comm comm, MPI_Request* request);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Neighbor_allgather.3.html">MPI_Neighbor_allgather</a>. */
int MPI_Neighbor_allgather(const void* sendbuf, int sendcount, MPI_Datatype sendtype, void* recvbuf, int
    recvcount, MPI_Datatype recvtype, MPI_Comm comm);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Neighbor_allgatherv.3.html">MPI_Neighbor_allgatherv</a>. */
int MPI_Neighbor_allgatherv(const void* sendbuf, int sendcount, MPI_Datatype sendtype, void* recvbuf, const
    int recvcounts[], const int displs[], MPI_Datatype recvtype, MPI_Comm comm);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Neighbor_alltoall.3.html">MPI_Neighbor_alltoall</a>. */
int MPI_Neighbor_alltoall(const void* sendbuf, int sendcount, MPI_Datatype sendtype, void* recvbuf, int
    recvcount, MPI_Datatype recvtype, MPI_Comm comm);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Neighbor_alltoallv.3.html">MPI_Neighbor_alltoallv</a>. */
int MPI_Neighbor_alltoallv(const void* sendbuf, const int sendcounts[], const int sdispls[], MPI_Datatype
    sendtype, void* recvbuf, const int recvcounts[], const int rdispls[], MPI_Datatype recvtype, MPI_Comm
    comm);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Neighbor_alltoallw.3.html">MPI_Neighbor_alltoallw</a>. */
int MPI_Neighbor_alltoallw(const void* sendbuf, const int sendcounts[], const MPI_Aint sdispls[], const
    MPI_Datatype sendtypes[], void* recvbuf, const int recvcounts[], const MPI_Aint rdispls[], const
    MPI_Datatype recvtypes[], MPI_Comm comm);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Topo_test.3.html">MPI_Topo_test</a>. */
int MPI_Topo_test(MPI_Comm comm, int* status);

#endif

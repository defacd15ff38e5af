// Datatypes and packing (MPI-3.1, chapter 4).
#pragma once
#ifndef LOCKSTEP_MPI_BINDINGS

#include "types.h"

/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Aint_add.3.html">MPI_Aint_add</a>. */
MPI_Aint MPI_Aint_add(MPI_Aint base, MPI_Aint disp);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Aint_diff.3.html">MPI_Aint_diff</a>. */
MPI_Aint MPI_Aint_diff(MPI_Aint addr1, MPI_Aint addr2);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Get_address.3.html">MPI_Get_address</a>. */
int MPI_Get_address(const void* location, MPI_Aint* address);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Get_elements.3.html">MPI_Get_elements</a>. */
int MPI_Get_elements(const MPI_Status* status, MPI_Datatype datatype, int* count);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Get_elements_x.3.html">MPI_Get_elements_x</a>. */
int MPI_Get_elements_x(const MPI_Status* status, MPI_Datatype datatype, MPI_Count* count);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Pack.3.html">MPI_Pack</a>. */
int MPI_Pack(const void* inbuf, int incount, MPI_Datatype datatype, void* outbuf, int outsize, int* position,
    MPI_Comm comm);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Pack_external.3.html">MPI_Pack_external</a>. */
int MPI_Pack_external(const char* datarep, const void* inbuf, int incount, MPI_Datatype datatype, void*
    outbuf, MPI_Aint outsize, MPI_Aint* position);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Pack_external_size.3.html">MPI_Pack_external_size</a>. */
int MPI_Pack_external_size(const char* datarep, int incount, MPI_Datatype datatype, MPI_Aint* size);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Pack_size.3.html">MPI_Pack_size</a>. */
int MPI_Pack_size(int incount, MPI_Datatype datatype, MPI_Comm comm, int* size);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Type_commit.3.html">MPI_Type_commit</a>. */
int MPI_Type_commit(MPI_Datatype* datatype);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Type_contiguous.3.html">MPI_Type_contiguous</a>. */
int MPI_Type_contiguous(int count, MPI_Datatype oldtype, MPI_Datatype* newtype);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Type_create_darray.3.html">MPI_Type_create_darray</a>. */
int MPI_Type_create_darray(int size, int rank, int ndims, const int array_of_gsizes[], const int
    array_of_distribs[], const int array_of_dargs[], const int array_of_psizes[], int order, MPI_Datatype
    oldtype, MPI_Datatype* newtype);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Type_create_hindexed.3.html">MPI_Type_create_hindexed</a>. */
int MPI_Type_create_hindexed(int count, const int array_of_blocklengths[], const MPI_Aint
    array_of_displacements[], MPI_Datatype oldtype, MPI_Datatype* newtype);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Type_create_hindexed_block.3.html">MPI_Type_create_hindexed_block</a>. */
int MPI_Type_create_hindexed_block(int count, int blocklength, const MPI_Aint array_of_displacements[],
    MPI_Datatype oldtype, MPI_Datatype* newtype);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Type_create_hvector.3.html">MPI_Type_create_hvector</a>. */
int MPI_Type_create_hvector(int count, int blocklength, MPI_Aint stride, MPI_Datatype oldtype, MPI_Datatype*
    newtype);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Type_create_indexed_block.3.html">MPI_Type_create_indexed_block</a>. */
int MPI_Type_create_indexed_block(int count, int blocklength, const int array_of_displacements[], MPI_Datatype
    oldtype, MPI_Datatype* newtype);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Type_create_resized.3.html">MPI_Type_create_resized</a>. */
int MPI_Type_create_resized(MPI_Datatype oldtype, MPI_Aint lb, MPI_Aint extent, MPI_Datatype* newtype);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Type_create_struct.3.html">MPI_Type_create_struct</a>. */
int MPI_Type_create_struct(int count, const int array_of_blocklengths[], const MPI_Aint
    array_of_displacements[], const MPI_Datatype array_of_types[], MPI_Datatype* newtype);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Type_create_subarray.3.html">MPI_Type_create_subarray</a>. */
int MPI_Type_create_subarray(int ndims, const int array_of_sizes[], const int array_of_subsizes[], const int
    array_of_starts[], int order, MPI_Datatype oldtype, MPI_Datatype* newtype);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Type_dup.3.html">MPI_Type_dup</a>. */
int MPI_Type_dup(MPI_Datatype oldtype, MPI_Datatype* newtype);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Type_free.3.html">MPI_Type_free</a>. */
int MPI_Type_free(MPI_Datatype* datatype);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Type_get_contents.3.html">MPI_Type_get_contents</a>. */
int MPI_Type_get_contents(MPI_Datatype datatype, int max_integers, int max_addresses, int max_datatypes, int
    array_of_integers[], MPI_Aint array_of_addresses[], MPI_Datatype array_of_datatypes[]);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Type_get_envelope.3.html">MPI_Type_get_envelope</a>. */
int MPI_Type_get_envelope(MPI_Datatype datatype, int* num_integers, int* num_addresses, int* num_datatypes,
    int* combiner);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Type_get_extent.3.html">MPI_Type_get_extent</a>. */
int MPI_Type_get_extent(MPI_Datatype datatype, MPI_Aint* lb, MPI_Aint* extent);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Type_get_extent_x.3.html">MPI_Type_get_extent_x</a>. */
int MPI_Type_get_extent_x(MPI_Datatype datatype, MPI_Count* lb, MPI_Count* extent);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Type_get_true_extent.3.html">MPI_Type_get_true_extent</a>. */
int MPI_Type_get_true_extent(MPI_Datatype datatype, MPI_Aint* true_lb, MPI_Aint* true_extent);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Type_get_true_extent_x.3.html">MPI_Type_get_true_extent_x</a>. */
int MPI_Type_get_true_extent_x(MPI_Datatype datatype, MPI_Count* true_lb, MPI_Count* true_extent);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Type_indexed.3.html">MPI_Type_indexed</a>. */
int MPI_Type_indexed(int count, const int array_of_blocklengths[], const int array_of_displacements[],
    MPI_Datatype oldtype, MPI_Datatype* newtype);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Type_size.3.html">MPI_Type_size</a>. */
int MPI_Type_size(MPI_Datatype datatype, int* size);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Type_size_x.3.html">MPI_Type_size_x</a>. */
int MPI_Type_size_x(MPI_Datatype datatype, MPI_Count* size);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Type_vector.3.html">MPI_Type_vector</a>. */
int MPI_Type_vector(int count, int blocklength, int stride, MPI_Datatype oldtype, MPI_Datatype* newtype);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Unpack.3.html">MPI_Unpack</a>. */
int MPI_Unpack(const void* inbuf, int insize, int* position, void* outbuf, int outcount, MPI_Datatype
    datatype, MPI_Comm comm);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Unpack_external.3.html">MPI_Unpack_external</a>. */
int MPI_Unpack_external(const char datarep[], const void* inbuf, MPI_Aint insize, MPI_Aint* position, void*
    outbuf, int outcount, MPI_Datatype datatype);

#endif

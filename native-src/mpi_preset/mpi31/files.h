// Files (MPI-3.1, chapter 13).
#pragma once
#ifndef LOCKSTEP_MPI_BINDINGS

#include "types.h"

/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_close.3.html">MPI_File_close</a>. */
int MPI_File_close(MPI_File* fh);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_delete.3.html">MPI_File_delete</a>. */
int MPI_File_delete(const char* filename, MPI_Info info);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_get_amode.3.html">MPI_File_get_amode</a>. */
int MPI_File_get_amode(MPI_File fh, int* amode);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_get_atomicity.3.html">MPI_File_get_atomicity</a>. */
int MPI_File_get_atomicity(MPI_File fh, int* flag);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_get_byte_offset.3.html">MPI_File_get_byte_offset</a>. */
int MPI_File_get_byte_offset(MPI_File fh, MPI_Offset offset, MPI_Offset* disp);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_get_group.3.html">MPI_File_get_group</a>. */
int MPI_File_get_group(MPI_File fh, MPI_Group* group);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_get_info.3.html">MPI_File_get_info</a>. */
int MPI_File_get_info(MPI_File fh, MPI_Info* info_used);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_get_position.3.html">MPI_File_get_position</a>. */
int MPI_File_get_position(MPI_File fh, MPI_Offset* offset);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_get_position_shared.3.html">MPI_File_get_position_shared</a>. */
int MPI_File_get_position_shared(MPI_File fh, MPI_Offset* offset);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_get_size.3.html">MPI_File_get_size</a>. */
int MPI_File_get_size(MPI_File fh, MPI_Offset* size);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_get_type_extent.3.html">MPI_File_get_type_extent</a>. */
int MPI_File_get_type_extent(MPI_File fh, MPI_Datatype datatype, MPI_Aint* extent);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_get_view.3.html">MPI_File_get_view</a>. */
int MPI_File_get_view(MPI_File fh, MPI_Offset* disp, MPI_Datatype* etype, MPI_Datatype* filetype, char*
    datarep);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_iread.3.html">MPI_File_iread</a>. */
int MPI_File_iread(MPI_File fh, void* buf, int count, MPI_Datatype datatype, MPI_Request* request);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_iread_all.3.html">MPI_File_iread_all</a>. */
int MPI_File_iread_all(MPI_File fh, void* buf, int count, MPI_Datatype datatype, MPI_Request* request);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_iread_at.3.html">MPI_File_iread_at</a>. */
int MPI_File_iread_at(MPI_File fh, MPI_Offset offset, void* buf, int count, MPI_Datatype datatype,
    MPI_Request* request);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_iread_at_all.3.html">MPI_File_iread_at_all</a>. */
int MPI_File_iread_at_all(MPI_File fh, MPI_Offset offset, void* buf, int count, MPI_Datatype datatype,
    MPI_Request* request);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_iread_shared.3.html">MPI_File_iread_shared</a>. */
int MPI_File_iread_shared(MPI_File fh, void* buf, int count, MPI_Datatype datatype, MPI_Request* request);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_iwrite.3.html">MPI_File_iwrite</a>. */
int MPI_File_iwrite(MPI_File fh, const void* buf, int count, MPI_Datatype datatype, MPI_Request* request);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_iwrite_all.3.html">MPI_File_iwrite_all</a>. */
int MPI_File_iwrite_all(MPI_File fh, const void* buf, int count, MPI_Datatype datatype, MPI_Request* request);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_iwrite_at.3.html">MPI_File_iwrite_at</a>. */
int MPI_File_iwrite_at(MPI_File fh, MPI_Offset offset, const void* buf, int count, MPI_Datatype datatype,
    MPI_Request* request);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_iwrite_at_all.3.html">MPI_File_iwrite_at_all</a>. */
int MPI_File_iwrite_at_all(MPI_File fh, MPI_Offset offset, const void* buf, int count, MPI_Datatype datatype,
    MPI_Request* request);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_iwrite_shared.3.html">MPI_File_iwrite_shared</a>. */
int MPI_File_iwrite_shared(MPI_File fh, const void* buf, int count, MPI_Datatype datatype, MPI_Request*
    request);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_open.3.html">MPI_File_open</a>. */
int MPI_File_open(MPI_Comm comm, const char* filename, int amode, MPI_Info info, MPI_File* fh);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_preallocate.3.html">MPI_File_preallocate</a>. */
int MPI_File_preallocate(MPI_File fh, MPI_Offset size);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_read.3.html">MPI_File_read</a>. */
int MPI_File_read(MPI_File fh, void* buf, int count, MPI_Datatype datatype, MPI_Status* status);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_read_all.3.html">MPI_File_read_all</a>. */
int MPI_File_read_all(MPI_File fh, void* buf, int count, MPI_Datatype datatype, MPI_Status* status);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_read_all_begin.3.html">MPI_File_read_all_begin</a>. */
int MPI_File_read_all_begin(MPI_File fh, void* buf, int count, MPI_Datatype datatype);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_read_all_end.3.html">MPI_File_read_all_end</a>. */
int MPI_File_read_all_end(MPI_File fh, void* buf, MPI_Status* status);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_read_at.3.html">MPI_File_read_at</a>. */
int MPI_File_read_at(MPI_File fh, MPI_Offset offset, void* buf, int count, MPI_Datatype datatype, MPI_Status*
    status);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_read_at_all.3.html">MPI_File_read_at_all</a>. */
int MPI_File_read_at_all(MPI_File fh, MPI_Offset offset, void* buf, int count, MPI_Datatype datatype,
    MPI_Status* status);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_read_at_all_begin.3.html">MPI_File_read_at_all_begin</a>. */
int MPI_File_read_at_all_begin(MPI_File fh, MPI_Offset offset, void* buf, int count, MPI_Datatype datatype);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_read_at_all_end.3.html">MPI_File_read_at_all_end</a>. */
int MPI_File_read_at_all_end(MPI_File fh, void* buf, MPI_Status* status);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_read_ordered.3.html">MPI_File_read_ordered</a>. */
int MPI_File_read_ordered(MPI_File fh, void* buf, int count, MPI_Datatype datatype, MPI_Status* status);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_read_ordered_begin.3.html">MPI_File_read_ordered_begin</a>. */
int MPI_File_read_ordered_begin(MPI_File fh, void* buf, int count, MPI_Datatype datatype);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_read_ordered_end.3.html">MPI_File_read_ordered_end</a>. */
int MPI_File_read_ordered_end(MPI_File fh, void* buf, MPI_Status* status);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_read_shared.3.html">MPI_File_read_shared</a>. */
int MPI_File_read_shared(MPI_File fh, void* buf, int count, MPI_Datatype datatype, MPI_Status* status);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_seek.3.html">MPI_File_seek</a>. */
int MPI_File_seek(MPI_File fh, MPI_Offset offset, int whence);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_seek_shared.3.html">MPI_File_seek_shared</a>. */
int MPI_File_seek_shared(MPI_File fh, MPI_Offset offset, int whence);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_set_atomicity.3.html">MPI_File_set_atomicity</a>. */
int MPI_File_set_atomicity(MPI_File fh, int flag);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_set_info.3.html">MPI_File_set_info</a>. */
int MPI_File_set_info(MPI_File fh, MPI_Info info);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_set_size.3.html">MPI_File_set_size</a>. */
int MPI_File_set_size(MPI_File fh, MPI_Offset size);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_set_view.3.html">MPI_File_set_view</a>. */
int MPI_File_set_view(MPI_File fh, MPI_Offset disp, MPI_Datatype etype, MPI_Datatype filetype, const char*
    datarep, MPI_Info info);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_sync.3.html">MPI_File_sync</a>. */
int MPI_File_sync(MPI_File fh);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_write.3.html">MPI_File_write</a>. */
int MPI_File_write(MPI_File fh, const void* buf, int count, MPI_Datatype datatype, MPI_Status* status);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_write_all.3.html">MPI_File_write_all</a>. */
int MPI_File_write_all(MPI_File fh, const void* buf, int count, MPI_Datatype datatype, MPI_Status* status);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_write_all_begin.3.html">MPI_File_write_all_begin</a>. */
int MPI_File_write_all_begin(MPI_File fh, const void* buf, int count, MPI_Datatype datatype);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_write_all_end.3.html">MPI_File_write_all_end</a>. */
int MPI_File_write_all_end(MPI_File fh, const void* buf, MPI_Status* status);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_write_at.3.html">MPI_File_write_at</a>. */
int MPI_File_write_at(MPI_File fh, MPI_Offset offset, const void* buf, int count, MPI_Datatype datatype,
    MPI_Status* status);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_write_at_all.3.html">MPI_File_write_at_all</a>. */
int MPI_File_write_at_all(MPI_File fh, MPI_Offset offset, const void* buf, int count, MPI_Datatype datatype,
    MPI_Status* status);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_write_at_all_begin.3.html">MPI_File_write_at_all_begin</a>. */
int MPI_File_write_at_all_begin(MPI_File fh, MPI_Offset offset, const void* buf, int count, MPI_Datatype
    datatype);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_write_at_all_end.3.html">MPI_File_write_at_all_end</a>. */
int MPI_File_write_at_all_end(MPI_File fh, const void* buf, MPI_Status* status);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_write_ordered.3.html">MPI_File_write_ordered</a>. */
int MPI_File_write_ordered(MPI_File fh, const void* buf, int count, MPI_Datatype datatype, MPI_Status*
    status);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_write_ordered_begin.3.html">MPI_File_write_ordered_begin</a>. */
int MPI_File_write_ordered_begin(MPI_File fh, const void* buf, int count, MPI_Datatype datatype);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_write_ordered_end.3.html">MPI_File_write_ordered_end</a>. */
int MPI_File_write_ordered_end(MPI_File fh, const void* buf, MPI_Status* status);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_File_write_shared.3.html">MPI_File_write_shared</a>. */
int MPI_File_write_shared(MPI_File fh, const void* buf, int count, MPI_Datatype datatype, MPI_Status* status);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Register_datarep.3.html">MPI_Register_datarep</a>. */
int MPI_Register_datarep(const char* datarep, MPI_Datarep_conversion_function* read_conversion_fn,
    MPI_Datarep_conversion_function* write_conversion_fn, MPI_Datarep_extent_function* dtype_file_extent_fn,
    void* extra_state);

#endif

// Process creation and connections (MPI-3.1, chapter 10).
#pragma once
#ifndef LOCKSTEP_MPI_BINDINGS

#include "types.h"

/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Close_port.3.html">MPI_Close_port</a>. */
int MPI_Close_port(const char* port_name);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Comm_accept.3.html">MPI_Comm_accept</a>. */
int MPI_Comm_accept(const char* port_name, MPI_Info info, int root, MPI_Comm comm, MPI_Comm* newcomm);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Comm_connect.3.html">MPI_Comm_connect</a>. */
int MPI_Comm_connect(const char* port_name, MPI_Info info, int root, MPI_Comm comm, MPI_Comm* newcomm);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Comm_disconnect.3.html">MPI_Comm_disconnect</a>. */
int MPI_Comm_disconnect(MPI_Comm* comm);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Comm_get_parent.3.html">MPI_Comm_get_parent</a>. */
int MPI_Comm_get_parent(MPI_Comm* parent);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Comm_join.3.html">MPI_Comm_join</a>. */
int MPI_Comm_join(int fd, MPI_Comm* intercomm);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Comm_spawn.3.html">MPI_Comm_spawn</a>. */
int MPI_Comm_spawn(const char* command, char* argv[], int maxprocs, MPI_Info info, int root, MPI_Comm comm,
    MPI_Comm* intercomm, int array_of_errcodes[]);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Comm_spawn_multiple.3.html">MPI_Comm_spawn_multiple</a>. */
int MPI_Comm_spawn_multiple(int count, char* array_of_commands[], mpi_argvs array_of_argv, const int
    array_of_maxprocs[], const MPI_Info array_of_info[], int root, MPI_Comm comm, MPI_Comm* intercomm, int
    array_of_errcodes[]);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Lookup_name.3.html">MPI_Lookup_name</a>. */
int MPI_Lookup_name(const char* service_name, MPI_Info info, char* port_name);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Open_port.3.html">MPI_Open_port</a>. */
int MPI_Open_port(MPI_Info info, char* port_name);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Publish_name.3.html">MPI_Publish_name</a>. */
int MPI_Publish_name(const char* service_name, MPI_Info info, const char* port_name);
/** Man page: <a href="https://docs.open-mpi.org/en/v5.0.x/man-openmpi/man3/MPI_Unpublish_name.3.html">MPI_Unpublish_name</a>. */
int MPI_Unpublish_name(const char* service_name, MPI_Info info, const char* port_name);

#endif

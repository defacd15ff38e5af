/**
 * MPI-3.1's C API, of Open MPI and of MPICH, as a JavaCPP preset that is usable without the rest of
 * Lockstep. {@link dev.lockstep.mpi.MPI} has the functions and constants; handles are classes of
 * their own.
 *
 * <ul>
 *   <li><b>Names</b> are those of C. Constants are methods ({@code MPI_COMM_WORLD()}), as their
 *       values differ between MPIs; a handle constant is a new Java object with each call, so keep
 *       it outside of loops.
 *   <li><b>Buffers</b> are JavaCPP {@code Pointer}s; {@code new Pointer(buffer)} wraps a direct
 *       {@code java.nio} buffer from its position on. What a non-blocking operation uses (buffers,
 *       arrays, the request, the handle it fills) must stay reachable until it is complete: keep a
 *       reference.
 *   <li><b>Arrays of handles</b> are one object: {@code new MPI_Request(4)}; {@code
 *       requests.getPointer(2)} is its third.
 *   <li><b>Errors</b> are the {@code int} that the function returns, as in C; {@link
 *       dev.lockstep.mpi.MpiException#check} throws when it is not {@code MPI_SUCCESS}. MPI ends
 *       the process instead unless {@code MPI_ERRORS_RETURN} is set, as {@link
 *       dev.lockstep.mpi.MpiEnvironment} does.
 *   <li><b>Callbacks</b> (user-defined operations, error handlers, attribute functions) extend the
 *       class of their C type and override {@code call}; each type has room for ten at a time. Keep
 *       a reference while MPI may call one. One must not throw: the exception leaves through MPI's
 *       frames, after which only aborting is defined.
 *   <li><b>Threads</b>: as {@code MPI_Init_thread} has granted.
 *   <li><b>Which MPI</b>: see {@link dev.lockstep.mpi.presets.MpiChoice}. Without one, the first
 *       use throws an {@code UnsatisfiedLinkError} that says how to get it.
 *   <li><b>Misuse</b> is as unsafe as in C where C cannot check: a buffer shorter than the count
 *       says is overrun.
 * </ul>
 *
 * Not bound: the functions that MPI-3.0 removed, conversions of Fortran 2008 statuses (Open MPI 4
 * has none), and what MPI-4 added.
 *
 * <p>Source: MPI Forum, MPI: A Message-Passing Interface Standard, version 3.1, 2015.
 */
@NullMarked
package dev.lockstep.mpi;

import org.jspecify.annotations.NullMarked;

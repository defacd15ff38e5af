#pragma once

/// @file
/// Communicators across the JNI boundary: handles, addresses and lengths, nothing else.
///
/// A handle names an open communicator or a pending work. Handles are never reused, and a handle that is
/// closed or was never given out raises INVALID_ARGUMENT or CLOSED, so that no misuse from Java can reach
/// freed memory. Every function throws lockstep::Error (see ErrorCode) and is safe to call from any thread.
/// Addresses are plain machine addresses as std::int64_t. The caller keeps the memory behind them alive
/// and unchanged until the operation (for start(): the work) has ended.

#include <cstdint>

#include "lockstep/export.h"
#include "lockstep/types.h"

namespace lockstep {

/// Any rank, as the peer of a RECEIVE.
constexpr std::int32_t ANY_RANK = -1;

/// Opens a group of one. @return the handle
LOCKSTEP_API std::int64_t open_single();

/// Joins rank `rank` of `world_size` ranks that are threads of this process and name the same group.
/// Blocks until all have joined or `timeout_seconds` have passed (TIMEOUT names the absent ranks).
LOCKSTEP_API std::int64_t open_in_process(const char* group, std::int32_t rank, std::int32_t world_size,
                                          double timeout_seconds);

/// How long the forming of groups over TCP, of this process and from now on, takes until the log says which
/// ranks are missing; 10 s before the first call.
LOCKSTEP_API void set_forming_notice(double seconds);

/// Whether the calling thread has been asked to give up what it waits for.
typedef bool (*InterruptionCheck)();

/// Makes waits of this process that have become slow ask `check` on the thread that waits, about 20 times a
/// second, and end with INTERRUPTED where it says yes: a collective, and with it the group, as by any other
/// error; the forming of a group; messages as by their limit. Threads of Lockstep's own never ask.
/// @param check null for none
LOCKSTEP_API void set_interruption_check(InterruptionCheck check);

/// Joins a group over TCP. Rank 0 listens on master_address:master_port, the others report to it; all
/// exchange addresses and connect each to each. `token` must be equal on all ranks; strangers are refused.
/// @param timeout_seconds limit for forming the group, and the default deadline of each operation
/// @param memory_sharing a MemorySharing
LOCKSTEP_API std::int64_t open_tcp(std::int32_t rank, std::int32_t world_size, const char* master_address,
                                   std::int32_t master_port, const char* token, double timeout_seconds,
                                   std::int32_t memory_sharing);

/// Joins the group that mpirun or srun formed, through the backend library at `plugin_path`
/// (liblockstep_mpi_openmpi.so or liblockstep_mpi_mpich.so). UNAVAILABLE when it cannot be loaded.
/// @param memory_sharing a MemorySharing
LOCKSTEP_API std::int64_t open_mpi(const char* plugin_path, double timeout_seconds,
                                   std::int32_t memory_sharing);

/// A new group of the ranks that pass the same `color`, ordered by `key`, then by rank. Collective over the
/// parent. @return the handle, or 0 where color is negative
LOCKSTEP_API std::int64_t split(std::int64_t communicator, std::int32_t color, std::int32_t key);

/// A group of the survivors after a failure, ranks of this group in ascending order; collective over them,
/// each passes the same. The failed group is still to be closed. See collective/README.md.
/// @param survivors address of `count` std::int32_t
LOCKSTEP_API std::int64_t shrink(std::int64_t communicator, std::int64_t survivors, std::int32_t count);

/// How often the group has been shrunk.
LOCKSTEP_API std::int32_t communicator_generation(std::int64_t communicator);

/// Opens the port of a rank 0 whose group open_tcp_at() forms later.
/// @param address of this host; @param port 0 for one that the system chooses
/// @return a listener handle, to be given to close_listener()
LOCKSTEP_API std::int64_t open_listener(const char* address, std::int32_t port);
LOCKSTEP_API std::int32_t listener_port(std::int64_t listener);
/// Closes the port, unless a group has it. Closing twice does nothing.
LOCKSTEP_API void close_listener(std::int64_t listener);

/// As open_tcp() for rank 0, on a port that is open already.
LOCKSTEP_API std::int64_t open_tcp_at(std::int64_t listener, std::int32_t world_size, const char* token,
                                      double timeout_seconds, std::int32_t memory_sharing);

/// Leaves the group. Pending work ends with CLOSED. Closing twice or closing 0 does nothing.
LOCKSTEP_API void close_communicator(std::int64_t communicator);

LOCKSTEP_API std::int32_t communicator_rank(std::int64_t communicator);
LOCKSTEP_API std::int32_t communicator_size(std::int64_t communicator);

/// What carries the data: "tcp", "shared-memory", "mpi+shared-memory" …; valid until this thread's next call.
LOCKSTEP_API const char* communicator_backend(std::int64_t communicator);

/// Changes the deadline of the operations that follow.
LOCKSTEP_API void set_timeout(std::int64_t communicator, double seconds);

/// Runs one operation and returns when this rank's part is done.
///
/// Buffers, in elements of `type`, for P ranks ("parts" is P × count, or sum(counts)):
/// | operation      | input          | output            | root_or_peer     | counts     |
/// |----------------|----------------|-------------------|------------------|------------|
/// | SEND           | count          |                   | destination      |            |
/// | RECEIVE        |                | count             | source, ANY_RANK |            |
/// | BROADCAST      | = output       | count             | root             |            |
/// | SCATTER        | root: parts    | count             | root             | root, or 0 |
/// | GATHER         | count          | root: parts       | root             | root, or 0 |
/// | ALL_GATHER     | count          | parts             |                  | all, or 0  |
/// | REDUCE         | count          | root: count       | root             |            |
/// | REDUCE_SCATTER | parts          | count             |                  | all, or 0  |
/// | ALL_REDUCE     | count          | count             |                  |            |
/// | ALL_TO_ALL     | P × count      | P × count         |                  |            |
/// | BARRIER        |                |                   |                  |            |
///
/// Input and output are the same address (in place: BROADCAST, REDUCE at the root, ALL_REDUCE) or do not
/// overlap. With `counts`, rank r's `count` equals counts[r].
///
/// @param operation an Operation other than SPLIT
/// @param type a DataType; @param op a ReduceOp (looked at by reductions only)
/// @param tag matches SEND with RECEIVE, from 0 to 32,767; not looked at by collectives
/// @param input,output addresses; 0 where the table has no buffer or the length is zero
/// @param counts address of P std::int64_t, or 0
/// @return for RECEIVE the rank that sent, otherwise 0
LOCKSTEP_API std::int32_t run(std::int64_t communicator, std::int32_t operation, std::int32_t type,
                              std::int32_t op, std::int32_t root_or_peer, std::int32_t tag,
                              std::int64_t input, std::int64_t output, std::int64_t count,
                              std::int64_t counts);

/// Queues the same operation on the communicator's progress thread, in submission order.
/// @return a work handle, to be given to wait_work() exactly once
LOCKSTEP_API std::int64_t start(std::int64_t communicator, std::int32_t operation, std::int32_t type,
                                std::int32_t op, std::int32_t root_or_peer, std::int32_t tag,
                                std::int64_t input, std::int64_t output, std::int64_t count,
                                std::int64_t counts);

/// Waits for a started operation, rethrows its error, and releases the handle.
/// @return as run()
LOCKSTEP_API std::int32_t wait_work(std::int64_t work);

/// Whether a started operation has ended (well or not). Does not block.
LOCKSTEP_API bool work_is_done(std::int64_t work);

/// Makes the collectives of one kind use one algorithm from now on, or choose again (Algorithm::NONE), also
/// in groups that are split off later. All ranks must do the same; ranks that did not get MISMATCH from the
/// next such collective. Waits for what was submitted before.
/// @param operation an Operation; @param algorithm an Algorithm
/// INVALID_ARGUMENT names what the backend has for this operation.
LOCKSTEP_API void set_algorithm(std::int64_t communicator, std::int32_t operation, std::int32_t algorithm);

/// The Algorithm by which the operation that ended last was carried out.
LOCKSTEP_API std::int32_t last_algorithm(std::int64_t communicator);

/// Collective: all ranks choose algorithms from the tuning of rank 0 from now on (native-src/collective/
/// README.md has the format), from the built-in one where rank 0 passes an empty text. What other ranks pass
/// is not looked at. Not while works are pending or other threads call.
/// @param source what errors call the text: its path
/// INVALID_ARGUMENT, on all ranks, names the source and the line.
LOCKSTEP_API void set_tuning(std::int64_t communicator, const char* text, const char* source);

/// Seconds that this communicator has spent inside operations since it was opened, on whichever thread.
LOCKSTEP_API double communication_seconds(std::int64_t communicator);

/// Payload bytes that this rank has put into operations since the communicator was opened.
LOCKSTEP_API std::int64_t communication_bytes(std::int64_t communicator);

/// The oldest notice that the native side has for the log (a refused connection, say), or an empty string.
/// The text is "LEVEL message" with LEVEL one of INFO, WARN. It is valid until this thread's next call.
LOCKSTEP_API const char* take_log_line();

}  // namespace lockstep

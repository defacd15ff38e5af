#pragma once

/// @file
/// What communicators know about the operations that they have carried out. Every function throws
/// lockstep::Error as those of lockstep/communicator.h do, is safe to call from any thread, also while an
/// operation runs, and does not wait for it.

#include <cstdint>

#include "lockstep/export.h"

namespace lockstep {

/// Buckets of a latency histogram, four to a power of two: bucket b begins at (4 + b % 4) × 2^(b / 4 + 3)
/// nanoseconds, from 32 ns to 120 s; the first and the last also hold what lies beyond.
constexpr std::int32_t LATENCY_BUCKETS = 128;

/// Operations that every communicator remembers for the case of an error.
constexpr std::int32_t FLIGHT_RECORDER_OPERATIONS = 256;

/// Most operations that record_operations() takes: 64 bytes of memory each.
constexpr std::int32_t MOST_RECORDED_OPERATIONS = 1 << 22;

/// How an operation in the log stands.
constexpr std::int32_t OPERATION_RUNNING = 0;
constexpr std::int32_t OPERATION_DONE = 1;
constexpr std::int32_t OPERATION_FAILED = 2;

/// std::int64_t in each row of what read_statistics() writes:
/// Operation, algorithm, calls, failed calls, payload bytes, nanoseconds inside, nanoseconds waited for
/// peers, longest nanoseconds, then the histogram.
constexpr std::int32_t OPERATION_ROW = 8 + LATENCY_BUCKETS;
/// Messages sent, bytes sent, messages received, bytes received, nanoseconds waited; row r is of rank r.
constexpr std::int32_t PEER_ROW = 5;
/// Number, Operation, DataType, ReduceOp, root or peer, count, payload bytes, algorithm, state, whether it
/// was queued (0 or 1), and clock readings: when submitted, begun, ended (0 while it runs).
constexpr std::int32_t LOG_ROW = 13;

/// One row for each pair of operation and algorithm that has been used.
/// @param rows address of room for `length` std::int64_t, or 0
/// @return how many std::int64_t there are to write; nothing is written where `length` is less
LOCKSTEP_API std::int64_t read_statistics(std::int64_t communicator, std::int64_t rows, std::int64_t length);

/// One row for each rank; none where the backend cannot tell (MPI, a group of one).
LOCKSTEP_API std::int64_t read_peer_statistics(std::int64_t communicator, std::int64_t rows,
                                               std::int64_t length);

/// The last operations, oldest first, the running one included.
LOCKSTEP_API std::int64_t read_operation_log(std::int64_t communicator, std::int64_t rows,
                                             std::int64_t length);

/// Remembers up to `operations` (at least 1) from the next one on, instead of FLIGHT_RECORDER_OPERATIONS.
LOCKSTEP_API void record_operations(std::int64_t communicator, std::int32_t operations);

/// The clock of the log, in nanoseconds. Each process has its own.
LOCKSTEP_API std::int64_t read_clock();

/// The name of an algorithm code, as in "recursive-doubling"; "unknown" for a number that is none.
LOCKSTEP_API const char* algorithm_name(std::int32_t algorithm);

/// A wait of an operation that takes this long is told to the log, with what the other ranks wait for. Of the
/// operations that follow; infinity turns it off. 10 s unless set.
LOCKSTEP_API void set_stall_seconds(std::int64_t communicator, double seconds);

}  // namespace lockstep

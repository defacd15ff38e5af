#pragma once

/// @file
/// The vocabulary that native code and Java share. JavaCPP generates the Java side from these enums.

#include <cstdint>

namespace lockstep {

/// Element type of a buffer. F16 is IEEE 754 binary16, BF16 is bfloat16 (the upper half of a binary32).
enum class DataType : std::int32_t { F32 = 0, F64 = 1, F16 = 2, BF16 = 3, I32 = 4, I64 = 5, U8 = 6 };

/// How corresponding elements of all ranks are combined.
/// AVERAGE is the sum divided by the number of ranks; integers round toward zero.
/// Integer sums and products wrap around. For floats MIN and MAX give NaN when any operand is NaN.
enum class ReduceOp : std::int32_t { SUM = 0, AVERAGE = 1, MIN = 2, MAX = 3, PRODUCT = 4 };

/// What a request asks a communicator to do.
enum class Operation : std::int32_t {
  SEND = 0,
  RECEIVE = 1,
  BROADCAST = 2,
  SCATTER = 3,
  GATHER = 4,
  ALL_GATHER = 5,
  REDUCE = 6,
  REDUCE_SCATTER = 7,
  ALL_REDUCE = 8,
  ALL_TO_ALL = 9,
  BARRIER = 10,
  SPLIT = 11,
  /// Reduces gradients and updates parameters; asked for by reduce_sgd_step() and reduce_adam_step().
  REDUCE_STEP = 12
};

/// Whether the ranks of one host exchange data through memory that they share.
enum class MemorySharing : std::int32_t {
  NEVER = 0,
  /// Ranks that can share none go on without, with a warning.
  WHERE_POSSIBLE = 1,
  /// Ranks that can share none are an error.
  REQUIRED = 2
};

/// How a collective is carried out. Names in text are as "recursive-doubling"
/// (collective/choice/algorithm.h).
enum class Algorithm : std::int32_t {
  NONE = 0,                ///< nothing to do, or not a collective (SEND, RECEIVE)
  RING = 1,                ///< reduce-scatter and all-gather around a ring
  RECURSIVE_DOUBLING = 2,  ///< whole vectors, exchanged with ever farther partners
  HALVING_DOUBLING = 3,    ///< Rabenseifner's; binary blocks where P is no power of two
  BINOMIAL_TREE = 4,
  DOUBLE_BINARY_TREE = 5,  ///< two trees, each for one half
  LINEAR = 6,              ///< everyone with the root
  PAIRWISE = 7,            ///< everyone with everyone, one after the other
  DISSEMINATION = 8,       ///< of the barrier
  DIRECT = 9,              ///< each rank reads its peers' memory (one host)
  HIERARCHICAL = 10,       ///< DIRECT inside hosts, another one between them
  LIBRARY = 11             ///< the backend's own (MPI, Gloo)
};

/// Why an operation failed; Java maps each to one exception type.
enum class ErrorCode : std::int32_t {
  /// The caller passed something that cannot be right (null address, negative count, unknown rank …).
  INVALID_ARGUMENT = 1,
  /// The handle or the group has been closed, by the caller or after an earlier error.
  CLOSED = 2,
  /// A peer died or cut its connection.
  PEER_FAILED = 3,
  /// The deadline passed before the peers had answered.
  TIMEOUT = 4,
  /// Ranks of one group asked for different operations, types, lengths or orders.
  MISMATCH = 5,
  /// The group could not be formed (address in use, wrong token, version conflict …).
  RENDEZVOUS = 6,
  /// An optional part (an MPI library) is not on this machine.
  UNAVAILABLE = 7,
  /// The operating system or a library refused (out of memory, socket error …).
  SYSTEM = 8,
  /// The calling thread was interrupted while it waited (set_interruption_check()). Peers get PEER_FAILED.
  INTERRUPTED = 9
};

}  // namespace lockstep

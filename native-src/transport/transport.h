#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/deadline.h"
#include "lockstep/error.h"
#include "lockstep/types.h"
#include "transport/traffic.h"

namespace lockstep {

class SharedMemory;
class Wire;

/// What a message belongs to. It travels with every message; a receiver compares it with what it expected,
/// which is how ranks that disagree are found out.
struct LOCKSTEP_API Signature {
  Operation operation = Operation::BARRIER;
  DataType type = DataType::U8;
  ReduceOp op = ReduceOp::SUM;
  std::int32_t root = 0;                  ///< root of a rooted collective, otherwise 0
  std::int32_t tag = 0;                   ///< of SEND (a RECEIVE posts operation SEND and its tag)
  Algorithm algorithm = Algorithm::NONE;  ///< with which a collective is carried out
  std::uint64_t sequence = 0;             ///< number of this collective in its group; 0 for SEND
  std::uint64_t count = 0;  ///< elements each rank passes; 0 where ranks may differ (uneven collectives)

  bool operator==(const Signature&) const = default;
  bool is_point_to_point() const { return operation == Operation::SEND; }
  /// "all-reduce #7 of 1000 f32 by sum"
  std::string describe() const;
};

/// MISMATCH with both sides' view; shared by all transports so that the words are the same.
LOCKSTEP_API Error mismatch_error(int own_rank, const Signature& own, int peer, const Signature& theirs);

/// MISMATCH of ranks that agree but for the length of what one of them contributes.
Error length_error(int sender, std::size_t sent_bytes, int receiver, std::size_t expected_bytes,
                   const Signature& signature);

/// TIMEOUT that names the awaited rank (or ANY) and the operation.
Error timeout_error(int own_rank, int awaited, const Signature& own, const Deadline& deadline);

/// The same for a rank that waits for another one itself, and so on; the last of `chain` is named.
Error timeout_error(int own_rank, std::span<const int> chain, const Signature& own, const Deadline& deadline);

/// An error of a group whose ranks are `ranks` of another one, as that one calls the rank at fault.
Error renumbered(const Error& error, std::span<const int> ranks);

/// PEER_FAILED for a peer whose connection broke without a goodbye.
Error peer_died_error(int own_rank, int peer, const Signature& own);

/// PEER_FAILED for a peer that said goodbye while this rank still needed it (or ANY: all have left).
LOCKSTEP_API Error peer_left_error(int own_rank, int peer, const Signature& own);

/// CLOSED or INTERRUPTED, for a wait that ended because deadline.cancelled().
LOCKSTEP_API Error cancelled_error(int own_rank, const Signature& own, const Deadline& deadline);

/// INTERRUPTED. @param operation what the thread waited in
LOCKSTEP_API Error interrupted_error(int own_rank, const std::string& operation);

/// What an error of one rank is for the others: PEER_FAILED where it was interrupted.
LOCKSTEP_API ErrorCode code_for_peers(ErrorCode code);

/// What the peers of rank `origin` throw after its abort(reason): code_for_peers() and the rank at fault
/// (`origin` where the reason names none), and the reason's words.
Error aborted_error(int origin, const Error& reason);

/// Ordered messages between the ranks of one group.
///
/// Messages of collectives between a pair of ranks arrive in the order in which they were sent, and each must
/// match (signature and length) the receive posted for it in the same order; otherwise both sides get
/// MISMATCH. SEND messages are matched by source and tag, first in, first out, beside them; a length that
/// differs is a MISMATCH.
///
/// One thread at a time uses a transport. post_*() never blocks. Memory given to a post stays valid until its
/// wait() returns or throws, or until close(). While waiting for one operation a transport progresses all of
/// them, so that no order of posts among ranks can dead-lock.
///
/// Failure: when a peer's connection breaks without a goodbye, every wait() on any rank that is connected to
/// it throws PEER_FAILED naming the dead rank. abort() tells all peers the error, and their next or current
/// wait() throws it, naming the rank where it began. After an error only abort() and close() may be called.
class Transport {
 public:
  using Ticket = std::uint64_t;
  static constexpr int ANY = -1;

  virtual ~Transport() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;
  virtual std::string name() const = 0;
  /// Lives as long as the transport. Whoever implements post and wait counts; null where nobody does.
  virtual Traffic* traffic() { return nullptr; }

  /// What the ranks share besides messages; null where they share no memory.
  virtual SharedMemory* shared_memory() { return nullptr; }

  /// What the messages of channels go by, made with the group and independent of everything below; null
  /// where there is none. At most once.
  virtual std::unique_ptr<Wire> take_wire() = 0;

  virtual Ticket post_send(int peer, const Signature& signature, const void* data, std::size_t bytes) = 0;
  /// `peer` may be ANY for SEND messages.
  virtual Ticket post_receive(int peer, const Signature& signature, void* data, std::size_t bytes) = 0;

  /// Blocks until the post is complete (for a send: the memory may be reused).
  /// @return for a receive the rank that sent, otherwise the destination
  /// @throws Error PEER_FAILED, TIMEOUT (naming the rank that was awaited and the operation), MISMATCH,
  /// CLOSED
  ///         (deadline.cancelled()), SYSTEM
  virtual int wait(Ticket ticket, const Deadline& deadline) = 0;

  void wait_all(std::span<const Ticket> tickets, const Deadline& deadline) {
    for (Ticket ticket : tickets) wait(ticket, deadline);
  }

  /// Tells every peer that this group has failed, as far as that is possible without blocking long.
  virtual void abort(const Error& reason) noexcept = 0;

  /// Leaves with a goodbye, so that peers that no longer need this rank are not disturbed; without a failure
  /// it waits until the system has taken over what was sent, at most for the group's timeout. Idempotent.
  virtual void close() noexcept = 0;

  /// The transport of a sub-group, over connections of its own. Collective over this group's ranks; `members`
  /// lists parent ranks in the order of their new ranks (empty on ranks that take no part).
  virtual std::unique_ptr<Transport> split(std::span<const int> members, const Deadline& deadline) = 0;
};

}  // namespace lockstep

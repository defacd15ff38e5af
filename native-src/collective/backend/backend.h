#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "collective/choice/algorithm.h"
#include "collective/choice/tuning.h"
#include "collective/communicator/request.h"
#include "core/deadline.h"
#include "lockstep/error.h"
#include "transport/traffic.h"

namespace lockstep {

class SharedMemory;
class Wire;

/// A vector that an all-reduce takes piece by piece, so that its caller makes one while another is on the
/// wire. As many pieces, of the same lengths, on all ranks.
struct Pieces {
  int number;
  /// Makes piece 0, 1, … and says where it is; called in this order. Where it is must be free of the piece
  /// but one before it, which take() has had by then.
  std::function<Request(int piece)> make;
  /// Called when a piece is reduced, in the same order.
  std::function<void(int piece)> take;
};

/// Carries out the operations of one group. Implementations: the algorithms in collective/ over a Transport,
/// and the MPI library's own collectives. Requests arrive validated, one at a time, never after an error; the
/// Communicator in front does the rest (handles, order, threads, statistics, what a group of one does).
class LOCKSTEP_API Backend {
 public:
  virtual ~Backend() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;
  virtual std::string name() const = 0;

  /// Blocks until this rank's part is done. @return for RECEIVE the rank that sent, otherwise 0
  virtual int execute(const Request& request, const Deadline& deadline) = 0;

  /// Whether all_reduce_pieces() of `whole` has one piece on the wire while the next is made. The same on all
  /// ranks, and in all groups with the same tuning, as many ranks and hosts.
  virtual bool overlaps_pieces(const Request& /*whole*/) const { return false; }

  /// An ALL_REDUCE of what `whole` describes (its type, operation and count), in pieces; each is reduced as
  /// if it were a vector of its own. Where they do not overlap, one after the other.
  virtual void all_reduce_pieces(const Request& whole, const Pieces& pieces, const Deadline& deadline);

  /// How the latest execute() was carried out.
  virtual Algorithm last_algorithm() const { return Algorithm::NONE; }

  /// What goes between this rank and each other, counted as it goes; the same object for as long as this one
  /// lives. Null where that is not known.
  virtual Traffic* traffic() { return nullptr; }

  /// Makes the collectives of one kind use `algorithm` from now on, or choose again (nullopt); equal on all
  /// ranks. @throws Error INVALID_ARGUMENT naming what this backend has for `operation`
  virtual void use_algorithm(Operation operation, std::optional<Algorithm> algorithm);

  /// Chooses algorithms from `tuning` from now on; equal on all ranks. Backends with ways of their own have
  /// nothing to choose from it.
  /// @param hosts on which the ranks run, where the caller knows better than the backend
  virtual void use_tuning(const Tuning& /*tuning*/, int /*hosts*/) {}

  /// Where this rank's registered buffers come from; null where the group shares no memory.
  virtual SharedMemory* shared_memory() { return nullptr; }

  /// What the messages of channels go by; null where the backend carries none itself. At most once.
  virtual std::unique_ptr<Wire> take_wire();

  /// Collective. @return the new group's backend, or null where color < 0
  virtual std::unique_ptr<Backend> split(int color, int key, const Deadline& deadline) = 0;

  /// Tells the peers, as far as possible, that the group has failed.
  virtual void abort(const Error& reason) noexcept = 0;

  /// Leaves the group. Idempotent.
  virtual void close() noexcept = 0;
};

}  // namespace lockstep

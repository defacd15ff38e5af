#pragma once

#include <mpi.h>

#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backends/mpi/datatypes.h"
#include "backends/mpi/notice_board.h"
#include "backends/mpi/packet.h"
#include "backends/mpi/peers.h"
#include "core/deadline.h"
#include "lockstep/error.h"

namespace lockstep::mpi {

/// The operation that a rank in its last close() is in, as other ranks hear of it: a barrier without a
/// number.
constexpr Signature FAREWELL{};

/// What a rank is waiting for, for the messages and the wait reports.
struct Pending {
  const Signature& signature;
  std::span<const int> members;  ///< world ranks of the group, by group rank
  int own_rank;                  ///< in the group
  int peer = Transport::ANY;     ///< of a SEND or RECEIVE
  Traffic* traffic = nullptr;    ///< counts the time spent waiting
};

/// MPI in this process: there is one, started with the first group and ended with the last.
///
/// One thread at a time is inside MPI (mutex()), whichever group it works for. MPI cannot take back a
/// collective that it has begun, and writes into its buffers whenever it is entered again. So after a failure
/// no group of this process enters it any more, every other rank is told by a notice, and MPI_Finalize, which
/// would wait for the dead, is left out. See README.md for how the launchers take that.
class Session {
 public:
  /// Counts one group in, and starts MPI if it is the first.
  /// @throws Error SYSTEM, RENDEZVOUS (the launcher belongs to another MPI), CLOSED (MPI has ended)
  static Session& join();

  /// Counts one more group in. The caller holds the mutex.
  void count_in() { ++groups_; }

  /// Counts one group out. The last waits up to `timeout_seconds` for the other ranks to do the same, and
  /// ends MPI.
  void leave(double timeout_seconds) noexcept;

  std::mutex& mutex() { return mutex_; }
  const Datatypes& datatypes() const { return datatypes_; }
  const PacketType& packet_type() const { return packet_type_; }
  bool failed() const { return failure_.has_value(); }

  /// Throws CLOSED with the reason, once a failure has ended MPI for this process. The caller holds the
  /// mutex.
  void require_usable() const;

  /// Calls `done`, holding the mutex, until it returns true. Spins at first, then yields, then sleeps, and
  /// now and then looks for notices, for dead processes on this host, for the deadline and for cancellation.
  void wait_until(const Pending& pending, const Deadline& deadline, const std::function<bool()>& done);

  /// Ends MPI for this process and tells the other ranks why. After a deadline it collects wait reports:
  /// every rank that is inside an operation answers, and those that do not are the ones awaited.
  /// @return the error to throw
  Error fail(const Error& error, const Pending& pending, double timeout_seconds);

 private:
  Session() = default;

  void start();
  void end(double timeout_seconds);
  void say_farewell(double timeout_seconds);
  bool ended_by_death(const Pending& pending, const std::function<bool()>& done);
  std::optional<int> awaited_that_left(const Pending& pending) const;
  void call_roll(const Pending& pending, const Notice& cause);
  Error roll_call_error(const Pending& pending, const Notice& cause) const;

  std::mutex life_mutex_;  ///< joins and leaves, one at a time
  std::mutex mutex_;
  int groups_ = 0;
  bool started_ = false;
  bool ended_ = false;
  bool initialised_here_ = false;
  std::optional<std::string> failure_;
  int dead_ = NoticeBoard::NOBODY;  ///< world rank that this one saw dead
  Datatypes datatypes_;
  PacketType packet_type_;
  Peers peers_;
  NoticeBoard board_;
};

}  // namespace lockstep::mpi

#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "channel/completion_queue.h"
#include "channel/inbox.h"
#include "channel/message.h"
#include "channel/wire.h"
#include "collective/observation/statistics.h"
#include "transport/traffic.h"
#include "transport/transport.h"

namespace lockstep {

/// The messages between one rank and each other, beside the collectives: any number of sends and receives in
/// both directions are under way at once, posted by any thread.
///
/// Messages of one tag between two ranks keep their order. A send ends when its memory is no longer needed,
/// which says nothing of the receiver; one that is longer than what the wire holds ends as the receiver takes
/// it in. A rank takes in what comes, asked for or not, while any of its threads is inside a call, and all
/// the time once it has posted a message with post() in the background.
///
/// A wait that runs out of time is a result, and so is one whose thread is interrupted: as if its limit had
/// passed. An error concerns the messages with one peer: MISMATCH of type
/// or length the receive alone, PEER_FAILED all with that peer; what others send and receive goes on, and so
/// do messages among survivors after a collective has failed. CLOSED ends everything.
class Channels {
 public:
  using Clock = std::chrono::steady_clock;
  using Seconds = std::chrono::duration<double>;

  /// @param statistics rows SEND and RECEIVE are counted there
  /// @param completions where announce() puts numbers
  Channels(std::unique_ptr<Wire> wire, OperationStatistics& statistics, CompletionQueue& completions);
  ~Channels() { close(); }
  Channels(const Channels&) = delete;
  Channels& operator=(const Channels&) = delete;

  int rank() const { return rank_; }
  int size() const { return size_; }
  /// Counted by whoever holds the mutex; any thread reads.
  const Traffic& traffic() const { return traffic_; }

  /// How long a wait takes until the log is told.
  void set_stall_seconds(double seconds) { stall_seconds_.store(seconds, std::memory_order_relaxed); }

  /// Posts a send or a receive, which never blocks. Its memory stays valid until it has ended.
  /// @param in_background whether it goes on while none of this rank's threads is inside a call
  /// @throws Error CLOSED
  std::shared_ptr<Message> post(const Transfer& transfer, bool in_background = true);

  /// @return whether it has ended; false when `limit` has passed, and all goes on
  /// @throws Error what the message ended with
  bool wait(Message& message, Seconds limit);
  /// Moves what can be moved. @return whether it has ended
  bool is_done(Message& message);
  /// Takes it back where nothing of it has travelled or come; then it has ended with CLOSED. @return whether
  /// it did
  bool cancel(Message& message);
  /// Makes a message that has not ended go on without its caller's memory: a receive ends with TIMEOUT, and
  /// its message waits for another one.
  void abandon(Message& message);
  /// Puts `id` into the completion queue once it has ended.
  void announce(Message& message, std::int64_t id);

  /// Posts all and waits for all, as one operation; sends and receives may stand in any order.
  /// @return false when `limit` has passed: no memory of the transfers is used any more then, receives are
  /// taken back, and what is sent goes on
  /// @throws Error the first of those that the transfers ended with, once none uses its memory
  bool exchange(std::span<const Transfer> transfers, Seconds limit, std::span<Incoming> received = {});

  /// The oldest message for (peer or ANY_RANK, tag) that no receive has met. Does not take it.
  std::optional<Incoming> poll(int peer, int tag);
  /// The same, waiting for one. @throws Error PEER_FAILED, CLOSED
  std::optional<Incoming> probe(int peer, int tag, Seconds limit);

  /// See Wire::reform().
  std::unique_ptr<Transport> reform(const Reformation& reformation) { return wire_->reform(reformation); }

  /// Ends all that is pending with CLOSED and says goodbye. Idempotent; returns when no memory is touched any
  /// more.
  void close() noexcept;

 private:
  using Lock = std::unique_lock<std::mutex>;
  struct Receiver;
  class StallNotice;

  Lock enter();
  void check_open() const;
  std::shared_ptr<Message> make(const Transfer& transfer);
  void begin(Message& message);
  void end(Message& message, std::optional<Error> error);
  void collect();
  bool progress();
  void peer_gone(int peer, const std::optional<Error>& broken);
  Error gone_error(int peer, const Signature& signature) const;
  bool all_gone() const;
  void release(Lock& lock, Message& message);
  void count(const Message& message, std::int64_t nanoseconds);
  template <typename Done>
  bool await(Lock& lock, const Done& done, Seconds limit, const int& awaited, const Signature& signature);
  template <typename Done>
  bool drive(Lock& lock, const Done& done, Clock::time_point began, Seconds limit, StallNotice& stall);
  template <typename Done>
  void await_close(Lock& lock, const Done& done);
  void start_background(Lock& lock);
  void background();

  const std::unique_ptr<Wire> wire_;
  const int rank_;
  const int size_;
  OperationStatistics& statistics_;
  Traffic traffic_;
  CompletionQueue& completions_;
  std::atomic<double> stall_seconds_{std::numeric_limits<double>::infinity()};

  std::mutex mutex_;
  std::atomic<int> contenders_{0};  ///< threads that want the mutex
  std::condition_variable changed_;
  Inbox inbox_;
  std::vector<std::deque<Message*>> sends_;  ///< under way, by peer
  std::size_t sends_pending_ = 0;
  std::vector<std::optional<Error>> gone_;  ///< why a peer is out of reach
  std::vector<std::shared_ptr<Message>> spare_;
  int users_ = 0;            ///< threads that wait
  int sleepers_ = 0;         ///< of those, for another one that drives the wire
  bool driving_ = false;     ///< one of them moves the messages of all
  std::uint64_t waits_ = 0;  ///< begun so far
  bool last_wait_was_short_ = true;
  bool background_sleeps_ = false;  ///< in the wire
  bool background_rests_ = false;   ///< until the users have left
  bool closed_ = false;
  std::mutex close_mutex_;
  std::thread background_;
};

}  // namespace lockstep

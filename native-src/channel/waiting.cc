// How threads wait for messages, and who moves them meanwhile: one thread that waits, or the progress thread.

#include <algorithm>
#include <array>
#include <string>
#include <system_error>

#include "channel/channels.h"
#include "core/clock.h"
#include "core/deadline.h"
#include "core/interruption.h"
#include "transport/stall.h"
#include "transport/transport.h"

namespace lockstep {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// As the collectives' transports: sleeping and waking costs more than the messages that come within it.
constexpr microseconds SPIN{50};
constexpr int POLLS_PER_CLOCK = 32;
// Of a wait before it looks at a clock or lets another thread in: about a microsecond.
constexpr int FIRST_POLLS = 64;
// A peer that dies is noticed within it by a wait that sleeps.
constexpr milliseconds LONGEST_SLEEP{20};
constexpr milliseconds LONGEST_IDLE_SLEEP{1000};
// The progress thread leaves the wire to threads that wait, and takes over when none has for so long.
constexpr milliseconds REST{2};
constexpr std::size_t MOST_SPARE = 64;

}  // namespace

/// Tells the log of a wait that takes long, and asks whether its thread was interrupted. Costs nothing before
/// look().
class Channels::StallNotice {
 public:
  StallNotice(int rank, const Signature& signature, const int& awaited, double seconds)
      : rank_(rank), signature_(signature), awaited_(awaited), seconds_(seconds) {}

  /// @return false when the wait is to end
  bool look() {
    if (interruption_.look()) return false;
    if (!watch_) {
      static const std::atomic<bool> never{false};
      watch_.emplace(rank_, signature_, awaited_,
                     Deadline::from_first_look(Seconds(seconds_), never, Seconds(seconds_)));
    }
    // Nobody is asked what it waits for: a rank may well do other things than exchange messages.
    if (watch_->look() == StallWatch::Due::REPORT) watch_->report({});
    return true;
  }

 private:
  const int rank_;
  const Signature& signature_;
  const int& awaited_;
  const double seconds_;
  std::optional<StallWatch> watch_;
  InterruptionWatch interruption_;
};

template <typename Done>
bool Channels::await(Lock& lock, const Done& done, Seconds limit, const int& awaited,
                     const Signature& signature) {
  if (done()) return true;
  if (!background_sleeps_ && !wire_->polls_yield()) {
    ++waits_;
    for (int polls = 0; polls < FIRST_POLLS; ++polls) {
      if (progress() && done()) return true;
    }
  }
  const Traffic::Wait waiting(traffic_, awaited);
  StallNotice stall(rank_, signature, awaited, stall_seconds_.load(std::memory_order_relaxed));
  const Clock::time_point began = Clock::now();
  ++users_;
  ++waits_;
  if (background_sleeps_) wire_->wake();
  while (!closed_ && !done()) {
    if (driving_) {
      const Seconds left = limit - (Clock::now() - began);
      if (left.count() <= 0) break;
      ++sleepers_;
      changed_.wait_for(lock, std::min(left, Seconds(LONGEST_SLEEP)));
      --sleepers_;
      if (!stall.look()) break;
      continue;
    }
    driving_ = true;
    const bool in_time = drive(lock, done, began, limit, stall);
    driving_ = false;
    if (!in_time) break;
  }
  last_wait_was_short_ = Clock::now() - began <= SPIN;
  --users_;
  if (sleepers_ > 0 || closed_ || (users_ == 0 && background_rests_)) changed_.notify_all();
  return done();
}

/// close() ends all messages, after which it touches their memory no more.
template <typename Done>
void Channels::await_close(Lock& lock, const Done& done) {
  if (!closed_) return;
  ++sleepers_;
  changed_.wait(lock, done);
  --sleepers_;
}

/// @return false when `limit` has passed, or the thread was interrupted
template <typename Done>
bool Channels::drive(Lock& lock, const Done& done, Clock::time_point began, Seconds limit,
                     StallNotice& stall) {
  const bool yields = wire_->polls_yield();
  bool spins = last_wait_was_short_;
  for (int polls = 1; !closed_; ++polls) {
    progress();
    if (done()) return true;
    if (contenders_.load(std::memory_order_relaxed) > 0 || yields) {
      lock.unlock();
      std::this_thread::yield();
      lock.lock();
    }
    if (spins && !yields && polls % POLLS_PER_CLOCK != 0) continue;
    const auto now = Clock::now();
    const Seconds left = limit - (now - began);
    if (left.count() <= 0) return false;
    spins = spins && now - began < SPIN;
    if (spins) continue;
    if (background_sleeps_) {  // it has been woken, and lets go
      ++sleepers_;
      changed_.wait_for(lock, std::min(left, Seconds(LONGEST_SLEEP)));
      --sleepers_;
      continue;
    }
    wire_->prepare_sleep();
    if (progress() && done()) {
      wire_->cancel_sleep();
      return true;
    }
    lock.unlock();
    wire_->sleep(std::min(std::chrono::ceil<milliseconds>(left), LONGEST_SLEEP));
    lock.lock();
    if (!stall.look()) return false;
  }
  return true;
}

void Channels::abandon(Message& message) {
  Lock lock = enter();
  if (closed_) await_close(lock, [&] { return message.ended.load(); });
  if (!message.ended.load(std::memory_order_relaxed)) release(lock, message);
}

bool Channels::wait(Message& message, Seconds limit) {
  if (!message.ended.load(std::memory_order_acquire)) {
    Lock lock = enter();
    const std::int64_t began = clock_nanoseconds();
    const int awaited = message.post.peer;
    const bool ended = await(
        lock, [&] { return message.ended.load(std::memory_order_relaxed); }, limit, awaited,
        message.post.signature);
    if (!ended && !closed_) return false;
    await_close(lock, [&] { return message.ended.load(std::memory_order_relaxed); });
    count(message, clock_nanoseconds() - began);
  }
  if (message.error) throw Error(*message.error);
  return true;
}

bool Channels::is_done(Message& message) {
  if (message.ended.load(std::memory_order_acquire)) return true;
  Lock lock = enter();
  if (!closed_) progress();
  return message.ended.load(std::memory_order_relaxed);
}

bool Channels::exchange(std::span<const Transfer> transfers, Seconds limit, std::span<Incoming> received) {
  Lock lock = enter();
  check_open();
  if (transfers.empty()) return true;
  const std::int64_t began = clock_nanoseconds();
  constexpr std::size_t FEW = 8;
  std::array<std::shared_ptr<Message>, FEW> few;
  std::vector<std::shared_ptr<Message>> many(transfers.size() > FEW ? transfers.size() : 0);
  const std::span<std::shared_ptr<Message>> messages =
      many.empty() ? std::span(few).first(transfers.size()) : std::span(many);
  // Receives first, so that what has come goes straight to its place.
  for (const bool sends : {false, true}) {
    for (std::size_t i = 0; i < transfers.size(); ++i) {
      if (transfers[i].is_send != sends) continue;
      messages[i] = make(transfers[i]);
      begin(*messages[i]);
    }
  }
  std::size_t ended = 0;
  const int awaited = messages.size() == 1 ? messages[0]->post.peer : Transport::ANY;
  await(
      lock,
      [&] {
        while (ended < messages.size() && messages[ended]->ended.load(std::memory_order_relaxed)) ++ended;
        return ended == messages.size();
      },
      limit, awaited, messages[0]->post.signature);
  await_close(lock, [&] {
    return std::ranges::all_of(messages, [](const auto& message) { return message->ended.load(); });
  });
  const std::int64_t nanoseconds = clock_nanoseconds() - began;
  std::optional<Error> first;
  bool in_time = true;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    Message& message = *messages[i];
    if (!message.ended.load(std::memory_order_relaxed)) {
      in_time = false;
      message.self = messages[i];
      release(lock, message);
    } else if (message.error && !first) {
      first = message.error;
    }
    if (i < received.size())
      received[i] = {message.post.peer, message.post.signature.type, message.received_count};
    count(message, nanoseconds / static_cast<std::int64_t>(messages.size()));
    if (messages[i].use_count() == 1 && !message.error && spare_.size() < MOST_SPARE) {
      message.ended.store(false, std::memory_order_relaxed);
      message.post = tcp::Post{};
      message.received_count = 0;
      message.own_copy.reset();
      spare_.push_back(std::move(messages[i]));
    }
  }
  if (first) throw Error(*first);
  return in_time;
}

std::optional<Incoming> Channels::probe(int peer, int tag, Seconds limit) {
  Lock lock = enter();
  check_open();
  std::optional<Incoming> found;
  Signature signature;
  signature.operation = Operation::SEND;
  signature.tag = tag;
  const bool is_any = peer == Transport::ANY;
  const auto nobody = [&] { return is_any ? all_gone() : gone_[static_cast<std::size_t>(peer)].has_value(); };
  await(
      lock,
      [&] {
        found = inbox_.find(peer, tag);
        return found || nobody();
      },
      limit, peer, signature);
  check_open();
  if (!found && nobody()) {
    throw gone_error(peer, signature);
  }
  return found;
}

void Channels::start_background(Lock&) {
  if (background_.joinable() || closed_) return;
  try {
    background_ = std::thread([this] { background(); });
  } catch (const std::system_error& thrown) {
    throw Error(ErrorCode::SYSTEM, std::string("Cannot start the progress thread: ") + thrown.what() + ".");
  }
}

void Channels::background() {
  never_interrupt_this_thread();
  Lock lock(mutex_);
  std::uint64_t seen = waits_;
  milliseconds rest = REST;
  while (!closed_) {
    if (users_ > 0 || waits_ != seen) {
      seen = waits_;
      if (users_ > 0 && rest > 16 * REST) {
        background_rests_ = true;
        changed_.wait(lock, [this] { return users_ == 0 || closed_; });
        background_rests_ = false;
      } else {
        changed_.wait_for(lock, REST);
        if (users_ > 0) rest *= 2;
      }
      continue;
    }
    rest = REST;
    if (contenders_.load(std::memory_order_relaxed) > 0) {
      lock.unlock();
      std::this_thread::yield();
      lock.lock();
      continue;
    }
    if (progress()) continue;
    wire_->prepare_sleep();
    if (progress()) {
      wire_->cancel_sleep();
      continue;
    }
    background_sleeps_ = true;
    const bool awaits = sends_pending_ > 0 || inbox_.awaits();
    lock.unlock();
    wire_->sleep(awaits ? LONGEST_SLEEP : LONGEST_IDLE_SLEEP);
    lock.lock();
    background_sleeps_ = false;
    if (sleepers_ > 0) changed_.notify_all();
  }
}

void Channels::close() noexcept {
  std::lock_guard one_at_a_time(close_mutex_);
  std::thread background;
  {
    Lock lock = enter();
    closed_ = true;
    wire_->wake();
    changed_.notify_all();
    background.swap(background_);
    while (users_ > 0) {
      wire_->wake();
      changed_.wait_for(lock, REST);
    }
  }
  if (background.joinable()) background.join();
  Lock lock = enter();
  wire_->close();
  const Error closed(ErrorCode::CLOSED,
                     "The communicator of rank " + std::to_string(rank_) + " was closed first.");
  for (std::deque<Message*>& sends : sends_) {
    for (Message* message : sends)
      end(*message, message->post.complete ? std::nullopt : std::optional(closed));
    sends.clear();
  }
  sends_pending_ = 0;
  inbox_.end_all(closed, false);
  collect();
}

}  // namespace lockstep

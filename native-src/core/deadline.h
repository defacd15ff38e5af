#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>

#include "core/interruption.h"

namespace lockstep {

/// A timeout that can be added to a clock: positive, at most some decades (an infinite one is cut to that).
/// @throws Error INVALID_ARGUMENT
double checked_timeout(double seconds);

/// The moment at which an operation gives up, and what can make it give up sooner: a flag that another thread
/// sets, or an interruption of the thread that waits. Waiting loops check them at least every POLL_INTERVAL.
class Deadline {
 public:
  using Clock = std::chrono::steady_clock;
  using Seconds = std::chrono::duration<double>;
  /// Upper bound for one uninterrupted sleep, so that close() from another thread is noticed soon.
  static constexpr std::chrono::milliseconds POLL_INTERVAL{50};

  Deadline(Seconds timeout, const std::atomic<bool>& cancelled)
      : Deadline(timeout, cancelled, Seconds::max(), Clock::now()) {}

  /// Counts from when somebody first asks for it, which spares operations that end at once the clock.
  /// @param stall_after how long a wait takes until it is worth a notice
  static Deadline from_first_look(Seconds timeout, const std::atomic<bool>& cancelled, Seconds stall_after) {
    return Deadline(timeout, cancelled, stall_after, Clock::time_point{});
  }

  bool passed() const { return Clock::now() >= end(); }
  bool cancelled() const { return cancelled_->load(std::memory_order_relaxed) || interruption_.look(); }
  /// Whether cancelled() said yes because the thread was interrupted.
  bool interrupted() const { return interruption_.found(); }

  /// Time left, at most POLL_INTERVAL, never negative.
  std::chrono::milliseconds slice() const {
    auto left = std::chrono::ceil<std::chrono::milliseconds>(end() - Clock::now());
    return left.count() < 0 ? std::chrono::milliseconds(0) : std::min(left, POLL_INTERVAL);
  }

  Clock::time_point end() const {
    auto began = began_.load(std::memory_order_relaxed);
    if (began == Clock::time_point{}) {
      began = Clock::now();
      began_.store(began, std::memory_order_relaxed);
    }
    return began + std::chrono::duration_cast<Clock::duration>(timeout_);
  }
  double timeout_seconds() const { return timeout_.count(); }
  Seconds stall_after() const { return stall_after_; }

 private:
  Deadline(Seconds timeout, const std::atomic<bool>& cancelled, Seconds stall_after, Clock::time_point began)
      : began_(began), timeout_(timeout), stall_after_(stall_after), cancelled_(&cancelled) {}

  mutable std::atomic<Clock::time_point> began_;
  Seconds timeout_;
  Seconds stall_after_;
  const std::atomic<bool>* cancelled_;
  InterruptionWatch interruption_;
};

}  // namespace lockstep

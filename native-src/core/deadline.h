#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>

namespace lockstep {

/// A timeout that can be added to a clock: positive, at most some decades (an infinite one is cut to that).
/// @throws Error INVALID_ARGUMENT
double checked_timeout(double seconds);

/// The moment at which an operation gives up, and the flag by which another thread can make it give up
/// sooner. Waiting loops check both at least every POLL_INTERVAL.
class Deadline {
 public:
  using Clock = std::chrono::steady_clock;
  /// Upper bound for one uninterrupted sleep, so that close() from another thread is noticed soon.
  static constexpr std::chrono::milliseconds POLL_INTERVAL{50};

  Deadline(std::chrono::duration<double> timeout, const std::atomic<bool>& cancelled)
      : end_(Clock::now() + std::chrono::duration_cast<Clock::duration>(timeout)),
        timeout_(timeout),
        cancelled_(&cancelled) {}

  bool passed() const { return Clock::now() >= end_; }
  bool cancelled() const { return cancelled_->load(std::memory_order_relaxed); }

  /// Time left, at most POLL_INTERVAL, never negative.
  std::chrono::milliseconds slice() const {
    auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - Clock::now());
    return left.count() < 0 ? std::chrono::milliseconds(0) : std::min(left, POLL_INTERVAL);
  }

  Clock::time_point end() const { return end_; }
  double timeout_seconds() const { return timeout_.count(); }

 private:
  Clock::time_point end_;
  std::chrono::duration<double> timeout_;
  const std::atomic<bool>* cancelled_;
};

}  // namespace lockstep

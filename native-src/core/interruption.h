#pragma once

#include <atomic>
#include <chrono>

#include "lockstep/export.h"

namespace lockstep {

/// What set_interruption_check() was given says of the calling thread; false without one.
LOCKSTEP_API bool is_interrupted();

/// Makes is_interrupted() false on the calling thread for good. For threads that native code starts: the
/// check would make each of them known to the Java machine, and nobody can interrupt them.
LOCKSTEP_API void never_interrupt_this_thread();

/// Remembers that the thread that looks was interrupted. Looking costs a clock; the check is asked every 10
/// ms at most.
class InterruptionWatch {
 public:
  bool look() const {
    if (found_.load(std::memory_order_relaxed)) return true;
    const Clock::time_point now = Clock::now();
    if (now < next_.load(std::memory_order_relaxed)) return false;
    next_.store(now + std::chrono::milliseconds(10), std::memory_order_relaxed);
    if (is_interrupted()) found_.store(true, std::memory_order_relaxed);
    return found();
  }
  bool found() const { return found_.load(std::memory_order_relaxed); }

 private:
  using Clock = std::chrono::steady_clock;

  mutable std::atomic<bool> found_{false};
  mutable std::atomic<Clock::time_point> next_{Clock::time_point{}};
};

}  // namespace lockstep

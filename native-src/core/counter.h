#pragma once

#include <atomic>
#include <cstdint>

namespace lockstep {

/// A sum that one thread at a time adds to and that any thread may read. Adding is a plain addition: no
/// instruction that locks the bus.
class Counter {
 public:
  void add(std::int64_t amount) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  void raise_to(std::int64_t value) noexcept {
    if (value > value_.load(std::memory_order_relaxed)) value_.store(value, std::memory_order_relaxed);
  }
  std::int64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

}  // namespace lockstep

#pragma once

#include <atomic>
#include <cstdint>

namespace lockstep {

/// The right to be inside the backend, which one thread at a time has. Uncontended, it costs one atomic
/// instruction to take and one to give back (the fast path); all else happens under a mutex of the owner's,
/// by a thread that has closed the fast path first.
class ExclusiveTurn {
 public:
  /// The fast path in. @return false when taken or barred
  bool try_take() noexcept {
    std::uint32_t free = 0;
    return state_.compare_exchange_strong(free, TAKEN, std::memory_order_acquire, std::memory_order_relaxed);
  }

  /// The fast path out. @return false when barred: then end() it under the mutex and wake whoever waits
  bool try_give_back() noexcept {
    std::uint32_t taken = TAKEN;
    return state_.compare_exchange_strong(taken, 0, std::memory_order_release, std::memory_order_relaxed);
  }

  // What follows is for the holder of the mutex.

  /// From here on nobody takes the turn without the mutex, and whoever has it gives it back under the mutex.
  void bar() noexcept { state_.fetch_or(BARRED, std::memory_order_acquire); }
  void open() noexcept { state_.fetch_and(~BARRED, std::memory_order_release); }
  /// Of a turn that is barred.
  bool is_taken() const noexcept { return (state_.load(std::memory_order_acquire) & TAKEN) != 0; }
  void take() noexcept { state_.fetch_or(TAKEN, std::memory_order_acquire); }
  void end() noexcept { state_.fetch_and(~TAKEN, std::memory_order_release); }

 private:
  static constexpr std::uint32_t TAKEN = 1;
  static constexpr std::uint32_t BARRED = 2;

  std::atomic<std::uint32_t> state_{0};
};

}  // namespace lockstep

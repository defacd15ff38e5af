#pragma once

#include <chrono>
#include <cstdint>

#include "lockstep/export.h"

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace lockstep {

/// How ticks of the CPU's counter become nanoseconds; a multiplier of 0 stands for std::chrono::steady_clock.
struct TickScale {
  std::uint64_t multiplier = 0;  ///< nanoseconds per tick, times 2^32
  std::uint64_t first_tick = 0;
  std::int64_t first_nanosecond = 0;
};

namespace internal {
LOCKSTEP_API extern TickScale tick_scale;
}

/// Finds out, once in a process, whether the CPU's counter can be the clock, and how fast it runs. Until
/// then the clock below is std::chrono::steady_clock. Called before the first communicator is there.
LOCKSTEP_API void calibrate_clock();

/// Nanoseconds of a clock that never goes back, about that of std::chrono::steady_clock, for statistics and
/// timelines. A reading of the x86 time-stamp counter takes 10 ns, one of steady_clock 23 ns, and an 8-byte
/// all-reduce has two. The kernel vouches for the counter: it is used where it is the kernel's clock source.
/// Its rate is known to some 10⁻⁵, so deadlines, which are kept by other ranks too, go by steady_clock.
inline std::int64_t clock_nanoseconds() noexcept {
#if defined(__x86_64__)
  const TickScale& scale = internal::tick_scale;
  if (scale.multiplier != 0) {
    const std::uint64_t ticks = __rdtsc() - scale.first_tick;
    __extension__ using Wide = unsigned __int128;
    return scale.first_nanosecond +
           static_cast<std::int64_t>((static_cast<Wide>(ticks) * scale.multiplier) >> 32);
  }
#endif
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace lockstep

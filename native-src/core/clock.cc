#include "core/clock.h"

#include <fstream>
#include <mutex>
#include <string>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace lockstep {

TickScale internal::tick_scale;

#if defined(__x86_64__)
namespace {

// A reading is uncertain by some 50 ns, which over this time is a rate known to 10⁻⁵.
constexpr std::int64_t CALIBRATION_NANOSECONDS = 5'000'000;

struct Reading {
  std::uint64_t ticks;
  std::int64_t nanoseconds;
};

Reading read_both() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return {__rdtsc(), std::chrono::duration_cast<std::chrono::nanoseconds>(now).count()};
}

/// The counter runs at one rate in all states of the CPU (Intel SDM, volume 3, "Invariant TSC").
bool is_invariant() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(0x80000007, &a, &b, &c, &d) != 0 && (d & (1U << 8)) != 0;
}

/// The kernel does not take it where it differs between cores.
bool is_kernel_clock() {
  std::ifstream file("/sys/devices/system/clocksource/clocksource0/current_clocksource");
  std::string name;
  return file >> name && name == "tsc";
}

// Taken when the library is loaded, so that whoever opens a communicator need not wait.
const Reading at_load = read_both();

void calibrate() {
  if (!is_invariant() || !is_kernel_clock()) return;
  Reading now = read_both();
  while (now.nanoseconds - at_load.nanoseconds < CALIBRATION_NANOSECONDS) now = read_both();
  const double rate = static_cast<double>(now.nanoseconds - at_load.nanoseconds) /
                      static_cast<double>(now.ticks - at_load.ticks);
  internal::tick_scale = {static_cast<std::uint64_t>(rate * 4294967296.0), at_load.ticks,
                          at_load.nanoseconds};
}

}  // namespace

void calibrate_clock() {
  static std::once_flag once;
  std::call_once(once, calibrate);
}

#else

void calibrate_clock() {}

#endif

}  // namespace lockstep

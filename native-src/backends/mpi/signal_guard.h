#pragma once

#include <signal.h>

#include <array>
#include <cstddef>

namespace lockstep {

/// Puts back, when it goes out of scope, what the process does on the signals of faults. Open MPI (in
/// MPI_Init) and UCX (in the constructor of its library, so while MPICH is being loaded) take them over to
/// print a backtrace. A JVM lives on SIGSEGV and its kin (safepoints, null checks), and would die of the
/// first one.
class SignalGuard {
 public:
  SignalGuard() {
    for (std::size_t i = 0; i < SIGNALS.size(); ++i) sigaction(SIGNALS[i], nullptr, &saved_[i]);
  }
  ~SignalGuard() {
    for (std::size_t i = 0; i < SIGNALS.size(); ++i) sigaction(SIGNALS[i], &saved_[i], nullptr);
  }
  SignalGuard(const SignalGuard&) = delete;
  SignalGuard& operator=(const SignalGuard&) = delete;

 private:
  static constexpr std::array<int, 5> SIGNALS{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
  std::array<struct sigaction, SIGNALS.size()> saved_{};
};

}  // namespace lockstep

#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace lockstep::tcp {

/// Says who is missing while a group forms: first after set_forming_notice()'s time, then after twice that
/// and so on, so that a log of a long wait stays short. One thread.
class FormingNotice {
 public:
  FormingNotice();

  /// Logs what `missing` says when it is time.
  void tick(const std::function<std::string()>& missing);

 private:
  using Clock = std::chrono::steady_clock;

  const Clock::time_point began_;
  std::chrono::duration<double> next_;
};

}  // namespace lockstep::tcp

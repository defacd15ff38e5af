#include "transport/tcp/wire/forming_notice.h"

#include <atomic>

#include "core/log.h"
#include "lockstep/communicator.h"

namespace lockstep {
namespace {

std::atomic<double> notice_seconds{10};

}  // namespace

void set_forming_notice(double seconds) {
  if (seconds > 0) notice_seconds.store(seconds);
}

namespace tcp {

FormingNotice::FormingNotice() : began_(Clock::now()), next_(notice_seconds.load()) {}

void FormingNotice::tick(const std::function<std::string()>& missing) {
  const std::chrono::duration<double> waited = Clock::now() - began_;
  if (waited < next_) return;
  next_ *= 2;
  log_notice(LogLevel::WARN, "Forming the group has taken " +
                                 std::to_string(static_cast<long long>(waited.count())) + " s: " + missing());
}

}  // namespace tcp
}  // namespace lockstep

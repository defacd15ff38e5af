#include "core/interruption.h"

#include "lockstep/communicator.h"

namespace lockstep {
namespace {

std::atomic<InterruptionCheck> current_check{nullptr};
thread_local bool asks = true;

}  // namespace

void set_interruption_check(InterruptionCheck check) { current_check.store(check); }

bool is_interrupted() {
  const InterruptionCheck check = current_check.load(std::memory_order_relaxed);
  return check != nullptr && asks && check();
}

void never_interrupt_this_thread() { asks = false; }

}  // namespace lockstep

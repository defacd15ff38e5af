#include "collective/observation/statistics.h"

namespace lockstep {

OperationStatistics::~OperationStatistics() {
  for (auto& row : rows_) delete row.load(std::memory_order_relaxed);
}

std::int64_t OperationStatistics::nanoseconds() const {
  std::int64_t sum = 0;
  for (const auto& slot : rows_) {
    if (const OperationCounters* row = slot.load(std::memory_order_acquire)) sum += row->nanoseconds.get();
  }
  return sum;
}

std::int64_t OperationStatistics::bytes() const {
  std::int64_t sum = 0;
  for (const auto& slot : rows_) {
    if (const OperationCounters* row = slot.load(std::memory_order_acquire)) sum += row->bytes.get();
  }
  return sum;
}

}  // namespace lockstep

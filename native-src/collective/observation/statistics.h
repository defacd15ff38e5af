#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>

#include "collective/choice/algorithm.h"
#include "core/counter.h"
#include "lockstep/statistics.h"
#include "lockstep/types.h"

namespace lockstep {

/// What one rank has spent in one operation carried out by one algorithm.
struct OperationCounters {
  Counter calls;
  Counter failures;
  Counter bytes;               ///< that this rank put in
  Counter nanoseconds;         ///< inside the operation
  Counter waited_nanoseconds;  ///< of those, for peers
  Counter longest_nanoseconds;
  std::array<Counter, LATENCY_BUCKETS> histogram;  ///< of nanoseconds, see bucket_of()
};

/// Four buckets to a power of two, so that a quantile is known to a fifth: bucket b begins at
/// (4 + b % 4) × 2^(b / 4 + 3) nanoseconds; the first and the last also hold what lies beyond.
inline int latency_bucket_of(std::int64_t nanoseconds) noexcept {
  constexpr int FIRST_EXPONENT = 5;  // 32 ns
  if (nanoseconds < (std::int64_t{1} << FIRST_EXPONENT)) return 0;
  const int exponent = std::bit_width(static_cast<std::uint64_t>(nanoseconds)) - 1;
  const int quarter = static_cast<int>(nanoseconds >> (exponent - 2)) & 3;
  const int bucket = (exponent - FIRST_EXPONENT) * 4 + quarter;
  return bucket < LATENCY_BUCKETS ? bucket : LATENCY_BUCKETS - 1;
}

/// The counters of one communicator. One thread at a time adds (the one whose turn it is); any thread reads.
class OperationStatistics {
 public:
  static constexpr int OPERATIONS = 13;
  static constexpr int ALGORITHMS = 16;

  OperationStatistics() = default;
  ~OperationStatistics();
  OperationStatistics(const OperationStatistics&) = delete;
  OperationStatistics& operator=(const OperationStatistics&) = delete;

  void add(Operation operation, Algorithm algorithm, std::int64_t bytes, std::int64_t nanoseconds,
           std::int64_t waited_nanoseconds, bool failed) {
    OperationCounters& row = at(operation, algorithm);
    row.calls.add(1);
    if (failed) row.failures.add(1);
    row.bytes.add(bytes);
    row.nanoseconds.add(nanoseconds);
    row.waited_nanoseconds.add(waited_nanoseconds);
    row.longest_nanoseconds.raise_to(nanoseconds);
    row.histogram[static_cast<std::size_t>(latency_bucket_of(nanoseconds))].add(1);
  }

  /// Null where nothing has happened.
  const OperationCounters* find(int operation, int algorithm) const {
    return rows_[static_cast<std::size_t>(operation * ALGORITHMS + algorithm)].load(
        std::memory_order_acquire);
  }

  std::int64_t nanoseconds() const;
  std::int64_t bytes() const;

 private:
  OperationCounters& at(Operation operation, Algorithm algorithm) {
    auto& slot = rows_[static_cast<std::size_t>(static_cast<int>(operation) * ALGORITHMS +
                                                static_cast<int>(algorithm))];
    OperationCounters* row = slot.load(std::memory_order_relaxed);
    if (row == nullptr) [[unlikely]] {
      row = new OperationCounters;
      slot.store(row, std::memory_order_release);
    }
    return *row;
  }

  std::array<std::atomic<OperationCounters*>, OPERATIONS * ALGORITHMS> rows_{};
};

}  // namespace lockstep

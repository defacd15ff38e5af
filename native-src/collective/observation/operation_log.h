#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "collective/choice/algorithm.h"
#include "collective/communicator/request.h"

namespace lockstep {

/// One operation, as it was or is.
struct OperationRecord {
  std::int64_t number = 0;  ///< of all operations of the communicator, from 1
  Operation operation = Operation::BARRIER;
  DataType type = DataType::U8;
  ReduceOp op = ReduceOp::SUM;
  Algorithm algorithm = Algorithm::NONE;
  std::int32_t state = 0;  ///< OPERATION_RUNNING … in lockstep/statistics.h
  bool queued = false;     ///< it came from start() or had to wait for its turn
  std::int64_t root_or_peer = 0;
  std::int64_t count = 0;
  std::int64_t bytes = 0;
  std::int64_t submitted = 0;  ///< clock_nanoseconds(), as are the next two
  std::int64_t began = 0;
  std::int64_t ended = 0;
};

/// The last operations of a communicator, in a ring that never blocks the thread that writes: the flight
/// recorder, and with a longer ring the source of the timeline. One thread at a time writes (the one whose
/// turn it is); any thread reads.
class OperationLog {
 public:
  OperationLog();

  /// Keeps as many records from the next operation on; what is in the ring so far is forgotten.
  void keep(std::size_t capacity);

  /// An operation begins: its place is taken, so that a reader sees it run.
  void begin(const Request& request, std::int64_t bytes, std::int64_t submitted, std::int64_t now) noexcept;
  /// The operation that began last has ended.
  void end(Algorithm algorithm, std::int32_t state, std::int64_t now) noexcept;

  /// Oldest first; a record that is overwritten meanwhile is left out.
  std::vector<OperationRecord> records() const;

 private:
  /// One cache line. `number` is 0 while the rest changes.
  struct alignas(64) Entry {
    std::atomic<std::int64_t> number{0};
    std::atomic<std::uint64_t> codes{0};
    std::atomic<std::int64_t> root_or_peer{0};
    std::atomic<std::int64_t> count{0};
    std::atomic<std::int64_t> bytes{0};
    std::atomic<std::int64_t> submitted{0};
    std::atomic<std::int64_t> began{0};
    std::atomic<std::int64_t> ended{0};
  };
  struct Ring {
    explicit Ring(std::size_t capacity) : entries(capacity) {}
    std::vector<Entry> entries;
    std::size_t next = 0;  ///< of the writer alone
  };

  mutable std::mutex mutex_;                  ///< guards rings_
  std::vector<std::unique_ptr<Ring>> rings_;  ///< the last is in use; the writer may still be in one before
  std::atomic<Ring*> ring_;
  std::int64_t number_ = 0;  // of the writer, as is what follows
  Entry* current_ = nullptr;
};

}  // namespace lockstep

#include "collective/observation/operation_log.h"

#include <algorithm>
#include <optional>

#include "lockstep/statistics.h"

namespace lockstep {
namespace {

// Stores are released and loads acquired: where a reader sees anything of a later record, it also sees that
// the number has changed. On x86 both are plain moves.
constexpr auto RELEASE = std::memory_order_release;
constexpr auto ACQUIRE = std::memory_order_acquire;
constexpr auto RELAXED = std::memory_order_relaxed;

enum Shift { OPERATION = 0, TYPE = 8, OP = 16, ALGORITHM = 24, STATE = 32, QUEUED = 40 };

template <typename T>
std::uint64_t code(T value, Shift shift) {
  return (static_cast<std::uint64_t>(value) & 0xFF) << shift;
}

template <typename T>
T decoded(std::uint64_t codes, Shift shift) {
  return static_cast<T>((codes >> shift) & 0xFF);
}

}  // namespace

OperationLog::OperationLog() { keep(FLIGHT_RECORDER_OPERATIONS); }

void OperationLog::keep(std::size_t capacity) {
  auto ring = std::make_unique<Ring>(std::max<std::size_t>(capacity, 1));
  std::lock_guard lock(mutex_);
  rings_.push_back(std::move(ring));
  ring_.store(rings_.back().get(), RELEASE);
}

void OperationLog::begin(const Request& request, std::int64_t bytes, std::int64_t submitted,
                         std::int64_t now) noexcept {
  Ring& ring = *ring_.load(ACQUIRE);
  Entry& entry = ring.entries[ring.next];
  if (++ring.next == ring.entries.size()) ring.next = 0;
  entry.number.store(0, RELAXED);
  entry.codes.store(code(request.operation, OPERATION) | code(request.type, TYPE) | code(request.op, OP) |
                        code(OPERATION_RUNNING, STATE) | code(submitted != now, QUEUED),
                    RELEASE);
  entry.root_or_peer.store(request.root_or_peer, RELEASE);
  entry.count.store(static_cast<std::int64_t>(request.count), RELEASE);
  entry.bytes.store(bytes, RELEASE);
  entry.submitted.store(submitted, RELEASE);
  entry.began.store(now, RELEASE);
  entry.ended.store(0, RELEASE);
  entry.number.store(++number_, RELEASE);
  current_ = &entry;
}

void OperationLog::end(Algorithm algorithm, std::int32_t state, std::int64_t now) noexcept {
  current_->ended.store(now, RELEASE);
  const std::uint64_t kept = current_->codes.load(RELAXED) & ~(code(0xFF, ALGORITHM) | code(0xFF, STATE));
  current_->codes.store(kept | code(algorithm, ALGORITHM) | code(state, STATE), RELEASE);
}

std::vector<OperationRecord> OperationLog::records() const {
  std::vector<OperationRecord> records;
  std::lock_guard lock(mutex_);
  for (const Entry& entry : rings_.back()->entries) {
    OperationRecord record;
    record.number = entry.number.load(ACQUIRE);
    if (record.number == 0) continue;
    const std::uint64_t codes = entry.codes.load(ACQUIRE);
    record.operation = decoded<Operation>(codes, OPERATION);
    record.type = decoded<DataType>(codes, TYPE);
    record.op = decoded<ReduceOp>(codes, OP);
    record.algorithm = decoded<Algorithm>(codes, ALGORITHM);
    record.state = decoded<std::int32_t>(codes, STATE);
    record.queued = decoded<bool>(codes, QUEUED);
    record.root_or_peer = entry.root_or_peer.load(ACQUIRE);
    record.count = entry.count.load(ACQUIRE);
    record.bytes = entry.bytes.load(ACQUIRE);
    record.submitted = entry.submitted.load(ACQUIRE);
    record.began = entry.began.load(ACQUIRE);
    record.ended = entry.ended.load(ACQUIRE);
    if (entry.number.load(RELAXED) == record.number) records.push_back(record);
  }
  std::ranges::sort(records, {}, &OperationRecord::number);
  return records;
}

}  // namespace lockstep

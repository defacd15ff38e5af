// Memory of a communicator, and the step that reduces and updates in it.

#include "core/memory.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "collective/communicator/communicator.h"
#include "core/data_type.h"
#include "core/log.h"
#include "transport/shared_memory/shared_memory.h"

namespace lockstep {

std::shared_ptr<std::byte> Communicator::allocate(std::size_t bytes) {
  {
    Lock lock(mutex_);
    check_open();
  }
  if (SharedMemory* memory = backend_->shared_memory()) {
    try {
      return memory->allocate(bytes);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::SYSTEM) throw;
      log_notice(
          LogLevel::WARN,
          std::string("A registered buffer becomes plain memory, which costs a copy: ") + error.what());
    }
  }
  return allocate_private(bytes);
}

/// Null in a group of one. @throws Error UNAVAILABLE
SharedMemory* Communicator::memory_of_all() const {
  if (size_ == 1) return nullptr;
  SharedMemory* const memory = backend_->shared_memory();
  if (memory != nullptr && memory->size() == size_) return memory;
  throw Error(ErrorCode::UNAVAILABLE,
              "The " + std::to_string(size_) + " ranks of this group (" + backend_->name() +
                  ") do not all share memory, which a fused step needs: run all of them on "
                  "one host, with the backend auto or shared_memory.");
}

std::shared_ptr<std::byte> Communicator::allocate_shared(std::size_t bytes) {
  SharedMemory* const memory = memory_of_all();
  if (memory == nullptr) return allocate_private(bytes);
  // Rank 0 allocates, and the others believe in as much as they asked for.
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(size_));
  std::int64_t own_size = static_cast<std::int64_t>(bytes);
  RawRequest gather{};
  gather.operation = static_cast<std::int32_t>(Operation::ALL_GATHER);
  gather.type = static_cast<std::int32_t>(DataType::I64);
  gather.input = reinterpret_cast<std::int64_t>(&own_size);
  gather.output = reinterpret_cast<std::int64_t>(sizes.data());
  gather.count = 1;
  run(gather);
  for (std::size_t rank = 1; rank < sizes.size(); ++rank) {
    if (sizes[rank] == sizes[0]) continue;
    throw Error(ErrorCode::MISMATCH,
                "Rank 0 asks for a shared buffer of " + std::to_string(sizes[0]) + " bytes, rank " +
                    std::to_string(rank) + " for one of " + std::to_string(sizes[rank]) +
                    "; all ranks must ask for the same. Nothing was allocated.",
                static_cast<int>(rank));
  }
  constexpr std::uint64_t NONE = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t offset = NONE;
  std::shared_ptr<std::byte> own;
  std::optional<Error> error;
  if (rank_ == 0) {
    try {
      own = memory->allocate_shared(bytes, offset);
    } catch (const Error& thrown) {
      error = thrown;  // told to the others first
    }
  }
  RawRequest raw{};
  raw.operation = static_cast<std::int32_t>(Operation::BROADCAST);
  raw.type = static_cast<std::int32_t>(DataType::I64);
  raw.input = raw.output = reinterpret_cast<std::int64_t>(&offset);
  raw.count = 1;
  run(raw);
  if (error) throw Error(*error);
  if (offset == NONE) {
    throw Error(ErrorCode::SYSTEM, "Rank 0 could not allocate a shared buffer of " + std::to_string(bytes) +
                                       " bytes; its own error says why.");
  }
  return rank_ == 0 ? own : memory->shared_at(offset);
}

void Communicator::reduce_step(const std::byte* gradients, std::size_t count, DataType type,
                               const StepPlan& plan) {
  memory_of_all();
  ValidatedRequest what;
  what.request.operation = Operation::REDUCE_STEP;
  what.request.type = type;
  what.request.input = gradients;
  what.request.count = count;
  what.request.step = &plan;
  what.input_bytes = count * size_of(type);
  if (turn_.try_take()) {
    run_at_once(what, nullptr);
    return;
  }
  Work work(std::move(what));
  run_in_turn(work);
}

}  // namespace lockstep

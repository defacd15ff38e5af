#include "collective/shared_memory/direct_reduce_step.h"

#include <algorithm>

#include "collective/shared_memory/direct.h"
#include "core/reduce.h"

namespace lockstep {
namespace {

using direct::Meeting;
using direct::Range;
using direct::RegisteredOffsets;

/// Sums that are made before they are used; they stay in the L1 cache. Whole blocks of every kernel.
constexpr std::size_t TILE_BYTES = 8 << 10;

void reduce_and_update(const DirectReduceStepOptions& options, const Meeting& meeting, Range slice,
                       direct::PerRank<const std::byte>& gradients) {
  alignas(64) std::array<std::byte, TILE_BYTES> sums;
  const std::size_t element_bytes = size_of(meeting.signature().type);
  const std::size_t tile = TILE_BYTES / element_bytes;
  direct::PerRank<const void> operands(meeting.size());
  for (std::size_t begin = slice.begin; begin < slice.end; begin += tile) {
    const std::size_t count = std::min(tile, slice.end - begin);
    for (int peer = 0; peer < meeting.size(); ++peer)
      operands[peer] = gradients[peer] + begin * element_bytes;
    reduce_all(sums.data(), operands.all(), count, meeting.signature().type, meeting.signature().op);
    options.plan.update(begin, count, sums.data());
  }
  meeting.count_read_from_all(slice.count() * element_bytes);
}

/// Where the parameters lie, the same for all ranks.
std::uint64_t shared_offset(const DirectReduceStepOptions& options, const Meeting& meeting) {
  std::uint64_t first = 0;
  for (std::span<const std::byte> part : options.plan.shared) {
    if (part.empty()) continue;
    const auto offset = meeting.memory().shared_offset(part.data(), part.size());
    if (!offset) {
      throw Error(
          ErrorCode::INVALID_ARGUMENT,
          "Rank " + std::to_string(meeting.rank()) +
              " passes parameters or optimiser state that are not in memory which allocate_shared() gave; "
              "a fused step needs that.");
    }
    if (part.data() == options.plan.shared.front().data()) first = *offset;
  }
  return first;
}

}  // namespace

void direct_reduce_step(const DirectReduceStepOptions& options) {
  const Meeting meeting(options.collective);
  const std::size_t element_bytes = size_of(meeting.signature().type);
  RegisteredOffsets own;
  own.input = meeting.registered(options.gradients, options.count * element_bytes);
  if (own.input == RegisteredOffsets::PRIVATE && options.plan.reduces && options.count > 0) {
    throw Error(ErrorCode::INVALID_ARGUMENT,
                "The gradients of rank " + std::to_string(meeting.rank()) +
                    " are not in memory that the communicator allocated; a fused step needs that.");
  }
  own.output = shared_offset(options, meeting);
  meeting.announce(own.bytes());
  direct::PerRank<const std::byte> gradients(meeting.size());
  for (int peer = 0; peer < meeting.size(); ++peer) {
    const RegisteredOffsets theirs =
        peer == meeting.rank() ? own : RegisteredOffsets::from(meeting.announced_by(peer));
    gradients[peer] = meeting.memory().registered(peer, theirs.input);
    if (theirs.output != own.output) {
      throw Error(ErrorCode::MISMATCH,
                  "Rank " + std::to_string(meeting.rank()) + " and rank " + std::to_string(peer) +
                      " update different parameters in " + meeting.signature().describe() +
                      "; all ranks must pass the same shared buffers.",
                  peer);
    }
  }
  const Range slice = direct::slice_of(options.count, element_bytes, meeting.rank(), meeting.size());
  {
    // The parameters are everybody's.
    const SharedMemory::Touching touching(meeting.memory());
    if (options.plan.reduces) {
      reduce_and_update(options, meeting, slice, gradients);
    } else if (slice.count() > 0) {
      options.plan.update(slice.begin, slice.count(), options.gradients + slice.begin * element_bytes);
    }
  }
  meeting.meet();
}

}  // namespace lockstep

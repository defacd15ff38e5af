#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "lockstep/types.h"

namespace lockstep {

/// What a REDUCE_STEP does besides reducing.
struct StepPlan {
  bool reduces = true;  ///< false: the gradients are the same on all ranks already
  /// What all ranks share and each writes a slice of: the parameters, then the optimiser's state.
  std::array<std::span<const std::byte>, 3> shared;
  /// Applies the optimiser to elements [begin, begin + count).
  std::function<void(std::size_t begin, std::size_t count, const std::byte* gradients)> update;
};

/// One validated operation; see run() in lockstep/communicator.h for what each field means for each
/// operation.
struct Request {
  Operation operation = Operation::BARRIER;
  DataType type = DataType::U8;
  ReduceOp op = ReduceOp::SUM;
  int root_or_peer = 0;
  int tag = 0;
  const std::byte* input = nullptr;
  std::byte* output = nullptr;
  std::size_t count = 0;
  std::span<const std::int64_t> counts;  ///< empty when every rank's count is the same
  const StepPlan* step = nullptr;        ///< of a REDUCE_STEP; its gradients are the input
};

}  // namespace lockstep

#pragma once

#include <cstddef>

#include "core/cpu.h"

namespace lockstep {

constexpr std::size_t DATA_TYPES = 7;
constexpr std::size_t REDUCE_OPS = 5;

/// The reductions of one instruction set, by the codes of DataType and ReduceOp. Addresses need no alignment;
/// target may be left or right.
struct ReduceKernels {
  using Combine = void (*)(void* target, const void* left, const void* right, std::size_t count);
  using Divide = void (*)(void* data, std::size_t count, int ranks);
  /// target[i] = (sources[0][i] ∘ sources[1][i] ∘ …) / divisor, from the left; at least two sources.
  using Fold = void (*)(void* target, const void* const* sources, std::size_t source_count, std::size_t count,
                        int divisor);

  Combine combine[DATA_TYPES][REDUCE_OPS];
  Divide divide[DATA_TYPES];
  Fold fold[DATA_TYPES][REDUCE_OPS];
};

LOCKSTEP_KERNEL_TABLE(ReduceKernels, reduce_kernels)

}  // namespace lockstep

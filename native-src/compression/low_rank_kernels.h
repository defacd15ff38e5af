#pragma once

#include <cstddef>

#include "core/cpu.h"

namespace lockstep {

/// One instruction set's product of thin matrices.
struct LowRankKernels {
  /// As expand_low_rank().
  void (*expand)(const void* left, const void* right, std::size_t rank, std::size_t rows, std::size_t columns,
                 void* target, bool subtract);
};

LOCKSTEP_KERNEL_TABLE(LowRankKernels, low_rank_kernels)

}  // namespace lockstep

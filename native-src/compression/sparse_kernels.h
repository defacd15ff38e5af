#pragma once

#include <cstddef>
#include <cstdint>

#include "core/cpu.h"

namespace lockstep {

/// One instruction set's loops over all elements of what is sent sparsely.
struct SparseKernels {
  /// As accumulate(); `momentum` may be null.
  void (*accumulate)(const void* values, std::size_t count, void* momentum, float factor, void* residual,
                     float carry);

  /// Appends first + i for each i whose magnitude, as bits, is at least `threshold`.
  /// @param indices with room for `count`
  /// @return how many
  std::size_t (*collect)(const void* values, std::size_t count, std::uint32_t threshold, std::uint32_t first,
                         std::uint32_t* indices);
};

LOCKSTEP_KERNEL_TABLE(SparseKernels, sparse_kernels)

}  // namespace lockstep

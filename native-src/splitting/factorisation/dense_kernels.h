#pragma once

#include <cstddef>

#include "core/cpu.h"

namespace lockstep {

/// One instruction set's product of dense matrices. What an element gets does not depend on the instruction
/// set: its products are subtracted one after the other.
struct DenseKernels {
  /// C ← C − A · B. C is rows × columns, A is rows × depth, both column by column; element (k, j) of B is at
  /// b[k * b_down + j * b_across].
  using SubtractProduct = void (*)(double* c, std::size_t c_stride, const double* a, std::size_t a_stride,
                                   const double* b, std::size_t b_down, std::size_t b_across,
                                   std::size_t rows, std::size_t columns, std::size_t depth);
  SubtractProduct subtract_product;
};

LOCKSTEP_KERNEL_TABLE(DenseKernels, dense_kernels)

}  // namespace lockstep

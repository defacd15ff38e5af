#pragma once

#include <cstddef>

#include "core/cpu.h"
#include "gradient/arguments.h"

namespace lockstep {

/// One instruction set's norm and scaling, by the code of a floating DataType.
struct NormKernels {
  using SumOfSquares = double (*)(const void* data, std::size_t count);
  using Scale = void (*)(void* data, std::size_t count, double factor);
  SumOfSquares sum_of_squares[gradient::FLOATING_TYPES];
  Scale scale[gradient::FLOATING_TYPES];
};

LOCKSTEP_KERNEL_TABLE(NormKernels, norm_kernels)

}  // namespace lockstep

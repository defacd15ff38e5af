#pragma once

#include <cstddef>

#include "core/cpu.h"
#include "gradient/arguments.h"

namespace lockstep {

/// What one step of gradient descent multiplies and adds, the same for every element.
struct SgdCoefficients {
  double learning_rate;
  double momentum;
  double one_minus_dampening;
  double weight_decay;
  bool nesterov;
  bool first_step;
};

/// One instruction set's gradient descent, by the code of a floating DataType.
struct SgdKernels {
  using Plain = void (*)(void* parameters, const void* gradients, std::size_t count,
                         const SgdCoefficients& coefficients);
  using Momentum = void (*)(void* parameters, const void* gradients, void* momentum_state, std::size_t count,
                            const SgdCoefficients& coefficients);
  Plain plain[gradient::FLOATING_TYPES];
  Momentum momentum[gradient::FLOATING_TYPES];
};

LOCKSTEP_KERNEL_TABLE(SgdKernels, sgd_kernels)

}  // namespace lockstep

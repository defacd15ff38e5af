#pragma once

#include <cstddef>

#include "core/cpu.h"
#include "gradient/arguments.h"

namespace lockstep {

/// What one Adam step multiplies and adds, the same for every element.
struct AdamCoefficients {
  /// 1 − learning_rate·weight_decay when the decay is decoupled, else 1.
  double shrink;
  /// weight_decay when it is part of the gradient, else 0.
  double weight_decay;
  double beta1, one_minus_beta1;
  double beta2, one_minus_beta2;
  /// 1 / √(1 − beta2^step)
  double root_correction;
  double epsilon;
  /// learning_rate / (1 − beta1^step)
  double step_size;
};

/// One instruction set's Adam steps, by the code of a floating DataType.
struct AdamKernels {
  using Step = void (*)(void* parameters, const void* gradients, void* first_moment, void* second_moment,
                        std::size_t count, const AdamCoefficients& coefficients);
  Step step[gradient::FLOATING_TYPES];
};

LOCKSTEP_KERNEL_TABLE(AdamKernels, adam_kernels)

}  // namespace lockstep

#pragma once

/// @file
/// Kernels on the flat gradient and parameter buffers: norm, scaling, conversion and fused optimisers.
///
/// Addresses are machine addresses of `count` elements of `type` (F32, F64, F16 or BF16). Arithmetic is in
/// F64 for F64 and in F32 otherwise. `state` buffers are F64 for F64 parameters and F32 otherwise. Buffers of
/// one call do not overlap and need no alignment. Every function throws Error INVALID_ARGUMENT, and changes
/// nothing, for a null address with count > 0, a negative count, an integer type or a hyper-parameter outside
/// its range: all are finite; step ≥ 1; 0 ≤ beta < 1; rates, momentum, epsilon and decay ≥ 0; nesterov with
/// momentum > 0 and dampening = 0. Results have the same bits on every CPU, but for which NaN it is. Calls on
/// disjoint buffers may run on different threads.

#include <cstdint>

#include "lockstep/export.h"
#include "lockstep/types.h"

namespace lockstep {

/// Sum of squares, accumulated in F64 in an order that depends on `count` alone (equal bits on every rank).
LOCKSTEP_API double sum_of_squares(std::int64_t data, std::int64_t count, std::int32_t type);

/// data[i] *= factor, which may be any number: clipping by a norm of NaN shows in the gradients.
LOCKSTEP_API void scale(std::int64_t data, std::int64_t count, std::int32_t type, double factor);

/// output[i] = input[i], from F32 to F16 or BF16 or back. Narrowing rounds to nearest even, overflows to
/// infinity and gives the positive quiet NaN for every NaN; widening is exact, and a NaN stays one.
LOCKSTEP_API void convert(std::int64_t input, std::int32_t input_type, std::int64_t output,
                          std::int32_t output_type, std::int64_t count);

/// Stochastic gradient descent with momentum, as torch.optim.SGD:
/// g += weight_decay·p; m = momentum·m + (1 − dampening)·g (first step: m = g);
/// p −= learning_rate·(nesterov ? g + momentum·m : m). With momentum 0 no state is needed (momentum_state =
/// 0).
/// @param step 1 for the first step
LOCKSTEP_API void sgd_step(std::int64_t parameters, std::int64_t gradients, std::int64_t momentum_state,
                           std::int64_t count, std::int32_t type, std::int64_t step, double learning_rate,
                           double momentum, double dampening, double weight_decay, bool nesterov);

/// Adam (Kingma & Ba 2015) and, with decoupled_weight_decay, AdamW (Loshchilov & Hutter 2019), as
/// torch.optim.
/// @param first_moment,second_moment state buffers, zero before the first step
/// @param step 1 for the first step
LOCKSTEP_API void adam_step(std::int64_t parameters, std::int64_t gradients, std::int64_t first_moment,
                            std::int64_t second_moment, std::int64_t count, std::int32_t type,
                            std::int64_t step, double learning_rate, double beta1, double beta2,
                            double epsilon, double weight_decay, bool decoupled_weight_decay);

}  // namespace lockstep

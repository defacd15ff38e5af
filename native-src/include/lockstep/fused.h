#pragma once

/// @file
/// Gradient reduction and optimiser in one pass, for groups whose ranks all share memory (one host): each
/// rank reduces a slice of the gradients and updates that slice of parameters and optimiser state, which
/// exist once for all ranks. The bits are those of an all-reduce by SUM and the optimiser on every rank. See
/// lockstep/gradient.h for the optimisers' arguments.
///
/// Collective: all ranks pass the same arguments but `gradients`, which each allocates by
/// allocate_registered(). Parameters and state come from allocate_shared(). Threads, deadlines and errors are
/// those of run(); besides, UNAVAILABLE where the ranks do not all share memory, and INVALID_ARGUMENT for
/// memory from elsewhere. A group of one takes any memory.

#include <cstdint>

#include "lockstep/export.h"

namespace lockstep {

/// Collective: zeroed memory on a page boundary that all ranks of the group use. Every rank gives it back by
/// free_memory(); it goes when the last has, or has ended.
/// @throws Error UNAVAILABLE, SYSTEM naming the size that /dev/shm lacks
LOCKSTEP_API std::int64_t allocate_shared(std::int64_t communicator, std::int64_t bytes);

/// @param reduces false where the gradients are the same on all ranks already: then only the update is shared
/// out
LOCKSTEP_API void reduce_sgd_step(std::int64_t communicator, bool reduces, std::int64_t parameters,
                                  std::int64_t gradients, std::int64_t momentum_state, std::int64_t count,
                                  std::int32_t type, std::int64_t step, double learning_rate, double momentum,
                                  double dampening, double weight_decay, bool nesterov);

/// @param reduces as for reduce_sgd_step()
LOCKSTEP_API void reduce_adam_step(std::int64_t communicator, bool reduces, std::int64_t parameters,
                                   std::int64_t gradients, std::int64_t first_moment,
                                   std::int64_t second_moment, std::int64_t count, std::int32_t type,
                                   std::int64_t step, double learning_rate, double beta1, double beta2,
                                   double epsilon, double weight_decay, bool decoupled_weight_decay);

}  // namespace lockstep

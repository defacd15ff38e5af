#pragma once

#include "collective/backend/collective_context.h"
#include "collective/communicator/request.h"

namespace lockstep {

struct DirectReduceStepOptions {
  const CollectiveContext& collective;
  const std::byte* gradients;  ///< this rank's, registered
  std::size_t count;
  const StepPlan& plan;
};

/// Reduction and optimiser in one pass: every rank combines its slice of all ranks' gradients, as
/// direct_all_reduce() does, and updates that slice of the parameters alone. The sums go through the L1 cache
/// and never to memory; parameters and optimiser state exist once for all ranks, as in the first stage of
/// ZeRO (S. Rajbhandari et al., "ZeRO: memory optimizations toward training trillion parameter models", SC
/// 2020, section 5), but without the all-gather that brings the parameters back. On return all slices are up
/// to date. The same bits as an all-reduce followed by the optimiser on every rank.
/// @throws Error INVALID_ARGUMENT where the gradients are not registered, or the parameters or the state not
/// shared by all ranks
void direct_reduce_step(const DirectReduceStepOptions& options);

}  // namespace lockstep

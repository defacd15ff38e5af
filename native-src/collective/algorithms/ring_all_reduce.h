#pragma once

#include "collective/backend/collective.h"

namespace lockstep {

struct RingAllReduceOptions {
  const Collective& collective;
  const std::byte* input;
  std::byte* output;  ///< may be the input
  std::size_t count;
};

/// Reduce-scatter and all-gather around a ring (see ring.h): 2(P − 1) steps, 2(P − 1)/P of the vector sent
/// per rank. The best for long vectors, for any P.
void ring_all_reduce(const RingAllReduceOptions& options);

}  // namespace lockstep

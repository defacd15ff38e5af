#pragma once

#include "collective/backend/collective.h"

namespace lockstep {

struct RingReduceScatterOptions {
  const Collective& collective;
  const Blocks& blocks;
  const std::byte* input;  ///< all blocks
  std::byte* output;       ///< this rank's block
};

/// The reducing half of the ring (see ring.h): P − 1 steps, (P − 1)/P of the vector sent per rank.
void ring_reduce_scatter(const RingReduceScatterOptions& options);

}  // namespace lockstep

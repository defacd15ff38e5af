#pragma once

#include "collective/backend/collective.h"

namespace lockstep {

struct RingAllGatherOptions {
  const Collective& collective;
  const Blocks& blocks;
  const std::byte* input;  ///< this rank's block
  std::byte* output;       ///< all blocks
};

/// The gathering half of the ring (see ring.h): P − 1 steps, each rank sends its block and passes the others
/// on.
void ring_all_gather(const RingAllGatherOptions& options);

}  // namespace lockstep

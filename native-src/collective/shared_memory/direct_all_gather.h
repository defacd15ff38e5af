#pragma once

#include "collective/backend/collective_context.h"

namespace lockstep {

struct DirectAllGatherOptions {
  const CollectiveContext& collective;
  const Blocks& blocks;
  const std::byte* input;  ///< this rank's block
  std::byte* output;       ///< all blocks
};

/// Every rank copies every block out of its owner's memory: out of the announcements when all are short, out
/// of the owner's input where that is registered, and out of its staging area, piece by piece, otherwise.
void direct_all_gather(const DirectAllGatherOptions& options);

}  // namespace lockstep

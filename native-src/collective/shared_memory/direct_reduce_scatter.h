#pragma once

#include "collective/backend/collective_context.h"

namespace lockstep {

struct DirectReduceScatterOptions {
  const CollectiveContext& collective;
  const Blocks& blocks;
  const std::byte* input;  ///< all blocks
  std::byte* output;       ///< this rank's block
};

/// Rank r combines block r of all inputs, in the order of the ranks: of registered ones where they are, of
/// the others in the staging areas, which hold a piece of every block at a time.
void direct_reduce_scatter(const DirectReduceScatterOptions& options);

}  // namespace lockstep

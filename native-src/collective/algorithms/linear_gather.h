#pragma once

#include "collective/backend/collective.h"

namespace lockstep {

struct LinearGatherOptions {
  const Collective& collective;
  int root;
  const std::byte* input;  ///< this rank's block
  std::size_t count;       ///< elements of this rank's block
  std::byte* output;       ///< at the root: all blocks
  const Blocks* blocks;    ///< at the root
};

/// Every rank sends its block straight to the root, which receives all at once; see linear_scatter.
void linear_gather(const LinearGatherOptions& options);

}  // namespace lockstep

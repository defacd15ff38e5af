#pragma once

#include "collective/backend/collective.h"

namespace lockstep {

struct LinearScatterOptions {
  const Collective& collective;
  int root;
  const std::byte* input;  ///< at the root: all blocks
  const Blocks* blocks;    ///< at the root
  std::byte* output;       ///< this rank's block
  std::size_t count;       ///< elements of this rank's block
};

/// The root sends every rank its block straight away: P − 1 messages, and no byte travels twice, which is as
/// good as a tree for anything but many tiny blocks.
void linear_scatter(const LinearScatterOptions& options);

}  // namespace lockstep

#pragma once

#include "collective/backend/collective_context.h"

namespace lockstep {

struct LinearScatterOptions {
  const CollectiveContext& collective;
  int root;
  const std::byte* input;  ///< at the root: all blocks
  const Blocks* blocks;    ///< at the root
  std::byte* output;       ///< this rank's block
  std::size_t count;       ///< elements of this rank's block
};

/// The root sends every rank its block straight away: P − 1 messages, and no byte travels twice, which is as
/// good as a tree for anything but many tiny blocks.
void linear_scatter(const LinearScatterOptions& options);

struct LinearGatherOptions {
  const CollectiveContext& collective;
  int root;
  const std::byte* input;  ///< this rank's block
  std::size_t count;       ///< elements of this rank's block
  std::byte* output;       ///< at the root: all blocks
  const Blocks* blocks;    ///< at the root
};

/// Every rank sends its block straight to the root, which receives all at once; see linear_scatter.
void linear_gather(const LinearGatherOptions& options);

struct PairwiseAllToAllOptions {
  const CollectiveContext& collective;
  const std::byte* input;  ///< block r is for rank r
  std::byte* output;       ///< block r is from rank r
  std::size_t count;       ///< elements of a block
};

/// In step s = 1 … P − 1 every rank sends to rank r + s and receives from rank r − s, so that in no step two
/// ranks send to the same one (Thakur, Rabenseifner, Gropp 2005, section 4.3). All steps are posted at once,
/// in that order.
void pairwise_all_to_all(const PairwiseAllToAllOptions& options);

/// In step s every rank tells rank r + 2^s that it has come and hears from rank r − 2^s; after ⌈log₂P⌉ steps
/// each has heard, at some remove, of all (D. Hensgen, R. Finkel, U. Manber, "Two algorithms for barrier
/// synchronization", Int. J. Parallel Program. 17, 1988).
void dissemination_barrier(const CollectiveContext& collective);

}  // namespace lockstep

#pragma once

#include "collective/backend/collective.h"

namespace lockstep {

struct PairwiseAllToAllOptions {
  const Collective& collective;
  const std::byte* input;  ///< block r is for rank r
  std::byte* output;       ///< block r is from rank r
  std::size_t count;       ///< elements of a block
};

/// In step s = 1 … P − 1 every rank sends to rank r + s and receives from rank r − s, so that in no step two
/// ranks send to the same one (Thakur, Rabenseifner, Gropp 2005, section 4.3). All steps are posted at once,
/// in that order.
void pairwise_all_to_all(const PairwiseAllToAllOptions& options);

}  // namespace lockstep

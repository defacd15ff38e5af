#pragma once

/// @file
/// The sparse form of one network, as one rank sees it.

#include <vector>

#include "splitting/prox/prox.h"
#include "splitting/sparse/blocks.h"
#include "splitting/sparse/holders.h"
#include "splitting/sparse/mixing.h"
#include "splitting/sparse/partition.h"
#include "splitting/splitting.h"

namespace lockstep::splitting {

/// Does not change once it is made; its parts refer to each other.
struct SparseProblem {
  /// @throws Error INVALID_ARGUMENT that names a sensor with more neighbours than the projection takes
  SparseProblem(const Network& network, const Options& options, int rank, int ranks);
  SparseProblem(const SparseProblem&) = delete;
  SparseProblem& operator=(const SparseProblem&) = delete;

  const DataTerm& term(std::int32_t place) const {
    return terms[static_cast<std::size_t>(place - blocks.begin())];
  }

  Partition partition;
  Holders holders;
  Blocks blocks;
  Mixing mixing;
  std::vector<DataTerm> terms;  ///< of own places
};

}  // namespace lockstep::splitting

#pragma once

#include "collective/backend/collective.h"

namespace lockstep {

struct BinomialTreeAllReduceOptions {
  const Collective& collective;
  const std::byte* input;
  std::byte* output;  ///< may be the input
  std::size_t count;
};

/// A reduction to rank 0 (binomial_reduce.h) and a broadcast from there (binomial_broadcast.h): 2·⌈log₂P⌉
/// steps with P − 1 messages in each direction, the fewest of all, where messages or partners are dear.
void binomial_tree_all_reduce(const BinomialTreeAllReduceOptions& options);

}  // namespace lockstep

#pragma once

#include "collective/backend/collective.h"

namespace lockstep {

struct BinomialReduceOptions {
  const Collective& collective;
  int root;
  const std::byte* input;
  std::byte* output;  ///< at the root; may be the input
  std::size_t count;
};

/// The mirror image of binomial_broadcast: every rank combines its own vector with those of its subtrees, the
/// nearest child first, and passes the result to its parent; ⌈log₂P⌉ steps (Thakur, Rabenseifner, Gropp 2005,
/// section 4.5). The order of combination follows from P and the root alone. Long vectors go in segments, so
/// that the levels of the tree work at the same time.
void binomial_reduce(const BinomialReduceOptions& options);

}  // namespace lockstep

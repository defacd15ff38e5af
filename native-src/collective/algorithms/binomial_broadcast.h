#pragma once

#include "collective/backend/collective.h"

namespace lockstep {

struct BinomialBroadcastOptions {
  const Collective& collective;
  int root;
  std::byte* data;  ///< read at the root, written elsewhere
  std::size_t bytes;
};

/// The root's data goes down a binomial tree: ⌈log₂P⌉ steps (Thakur, Rabenseifner, Gropp 2005, section 4.2).
/// Long data goes in segments, each passed on while the next arrives, so that the levels of the tree work at
/// the same time.
void binomial_broadcast(const BinomialBroadcastOptions& options);

}  // namespace lockstep

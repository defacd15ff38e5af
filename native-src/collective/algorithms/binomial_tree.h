#pragma once

#include <vector>

namespace lockstep {

/// A rank's place in the binomial tree over P ranks with the given root. Ranks count from the root: relative
/// rank v has the children v + 2^k for every 2^k below v's lowest set bit (below P for the root), so the tree
/// has ⌈log₂P⌉ levels.
struct BinomialTree {
  int parent;                 ///< −1 at the root
  std::vector<int> children;  ///< nearest first, which are the smallest subtrees

  BinomialTree(int rank, int ranks, int root);
};

}  // namespace lockstep

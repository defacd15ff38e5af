#include "collective/algorithms/binomial_tree.h"

namespace lockstep {

BinomialTree::BinomialTree(int rank, int ranks, int root) : parent(-1) {
  const int relative = (rank - root + ranks) % ranks;
  for (int bit = 1; bit < ranks; bit *= 2) {
    if (relative & bit) {
      parent = (relative - bit + root) % ranks;
      break;
    }
    if (relative + bit < ranks) children.push_back((relative + bit + root) % ranks);
  }
}

}  // namespace lockstep

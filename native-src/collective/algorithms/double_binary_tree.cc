#include "collective/algorithms/double_binary_tree.h"

namespace lockstep {
namespace {

int lowest_bit(int place) { return place & -place; }

/// The nearest ancestor in the tree without end that is among the first `ranks` places; 0 for the root.
int parent_of(int place, int ranks) {
  for (int bit = lowest_bit(place); bit < ranks; bit *= 2) {
    const int parent = (place & ~(2 * bit - 1)) | 2 * bit;
    if (parent <= ranks) return parent;
  }
  return 0;
}

int left_of(int place) { return lowest_bit(place) == 1 ? 0 : place - lowest_bit(place) / 2; }

int right_of(int place, int ranks) {
  for (int bit = lowest_bit(place) / 2; bit > 0; bit /= 2) {
    if (place + bit <= ranks) return place + bit;
  }
  return 0;
}

}  // namespace

std::array<BinaryTree, 2> double_binary_tree(int rank, int ranks) {
  std::array<BinaryTree, 2> trees;
  for (int shift = 0; shift < 2; ++shift) {
    const int place = (rank + shift) % ranks + 1;
    auto rank_at = [&](int other) { return other == 0 ? -1 : (other - 1 - shift + ranks) % ranks; };
    trees[shift] = {rank_at(parent_of(place, ranks)), rank_at(left_of(place)),
                    rank_at(right_of(place, ranks))};
  }
  return trees;
}

}  // namespace lockstep

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "learning/group.h"
#include "learning/trees/split.h"
#include "learning/trees/tree.h"
#include "learning/trees/tree_data.h"

namespace lockstep::learning {

/// Grows one tree after another from gradients, over the rows of all ranks. A leaf's histogram is summed over
/// ranks by a reduce-scatter that gives each rank the features it owns; it looks for the best split of those,
/// and the best of all ranks is gathered. Of two new leaves the one with fewer rows is counted, the other is
/// the difference. Sums are integers: neither the order of rows nor the number of ranks changes the tree.
class TreeGrower {
 public:
  TreeGrower(const Group& group, const TreeData& data, TreeOptions options);

  /// Collective. @param gradients, hessians by row; @param used this rank's rows to grow from
  /// @param draw which features are tried: of the seed, the tree, and below it the node
  Tree grow(std::span<const double> gradients, std::span<const double> hessians,
            std::vector<std::uint32_t> used, std::uint64_t draw);

  /// After grow(): the rows of `used` in the leaf.
  std::span<const std::uint32_t> rows_of(std::size_t leaf) const {
    return std::span(rows_).subspan(leaves_[leaf].begin, leaves_[leaf].end - leaves_[leaf].begin);
  }

 private:
  struct Leaf {
    std::size_t begin = 0, end = 0;  ///< in rows_
    std::int32_t depth = 0;
    std::int32_t parent = -1;  ///< node, and which side of it
    bool is_left = false;
    BinSums total{0, 0};
    Bounds bounds;
    Split best;
    std::vector<BinSums> histogram;  ///< of the features that this rank owns
  };

  std::vector<BinSums> count(std::size_t begin, std::size_t end);
  bool may_split(const Leaf& leaf) const;
  void find_best(Leaf& leaf, std::uint64_t draw);
  void find_best_of(std::span<const std::size_t> leaves, std::uint64_t draw);
  std::int32_t choose() const;
  std::size_t partition(const Leaf& leaf, const Split& split);
  void split(Tree& tree, std::size_t leaf, std::uint64_t draw);

  const Group& group_;
  const TreeData& data_;
  const TreeOptions options_;
  std::vector<std::uint32_t> offsets_;      ///< of each feature in a whole histogram; one more at the end
  std::vector<std::size_t> first_feature_;  ///< owned by each rank; one more at the end
  std::vector<std::int64_t> numbers_;       ///< int64 of a histogram that each rank owns
  std::vector<BinSums> sums_;               ///< by row
  std::vector<BinSums> whole_;              ///< this rank's part of a histogram of all features
  std::vector<char> in_tree_;               ///< features of this tree
  FixedPoint fixed_;
  std::vector<std::uint32_t> rows_, spare_;
  std::vector<Leaf> leaves_;
};

}  // namespace lockstep::learning

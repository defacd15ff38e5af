#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "learning/trees/binning.h"

namespace lockstep::learning {

/// A grown tree over bins. Children ≥ 0 are nodes, the others leaves: ~child is the leaf's number.
struct Tree {
  struct Node {
    std::int32_t feature = 0;
    std::int32_t bin = 0;         ///< numbers: to the left are the bins up to this
    bool is_categorical = false;  ///< then to the left are the bins of the set
    bool missing_left = false;
    ByteSet set{};
    std::int32_t left = -1, right = -1;
    double gain = 0;
    std::int64_t rows = 0;  ///< that were split here, over all ranks
  };
  std::vector<Node> nodes;
  std::vector<double> values;  ///< of one leaf after the other, as many as the ensemble has for a leaf
  std::vector<std::int64_t> leaf_rows;

  bool goes_left(const Node& node, std::uint8_t bin, std::uint8_t missing) const {
    if (bin == missing) return node.missing_left;
    return node.is_categorical ? contains(node.set, bin) : bin <= node.bin;
  }

  std::size_t leaf_of(const std::uint8_t* row, const std::vector<FeatureBins>& mappers) const {
    if (nodes.empty()) return 0;
    std::int32_t at = 0;
    while (at >= 0) {
      const Node& node = nodes[static_cast<std::size_t>(at)];
      const auto feature = static_cast<std::size_t>(node.feature);
      at = goes_left(node, row[feature], mappers[feature].missing()) ? node.left : node.right;
    }
    return static_cast<std::size_t>(~at);
  }
};

}  // namespace lockstep::learning

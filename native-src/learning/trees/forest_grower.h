#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "learning/trees/forest_rows.h"
#include "learning/trees/node_splitter.h"
#include "learning/trees/tree.h"

namespace lockstep::learning {

/// How often Poisson's distribution of mean 1 puts a row into the sample of a tree: the limit of drawing n
/// rows out of n (Oza and Russell 2001), a function of the row alone. At most MOST_DRAWN.
std::uint32_t times_drawn(std::uint64_t seed, std::int64_t tree, std::uint64_t row_id);

/// Grows the trees of a forest (Breiman 2001) on one rank, from the rows of all.
class ForestGrower {
 public:
  /// @param splitter over `rows`; @param mappers by feature
  ForestGrower(const ForestRows& rows, const std::vector<FeatureBins>& mappers, const TreeOptions& options,
               std::uint64_t seed, std::unique_ptr<NodeSplitter> splitter);

  /// The tree of that number, a function of rows, options, seed and number.
  Tree grow(std::int64_t number);

 private:
  struct Pending {
    std::size_t begin, end;  ///< in drawn_
    std::int32_t depth, parent;
    bool is_left;
    std::uint64_t draw;  ///< of the node's place in the tree: which features it tries
    Bounds bounds;
  };

  void draw_rows(std::int64_t number);
  void load_block(const Pending& node);
  const std::uint8_t* column(const Pending& node, std::size_t feature) const;
  Split find_split(const Pending& node);
  std::size_t partition(const Pending& node, const Split& split);

  const ForestRows& rows_;
  const std::vector<FeatureBins>& mappers_;
  const TreeOptions& options_;
  const std::uint64_t seed_;
  const std::size_t tried_;  ///< features a node
  std::unique_ptr<NodeSplitter> splitter_;
  std::vector<DrawnRow> drawn_, spare_;
  /// The columns of the rows below one node, which then lie close together.
  struct Block {
    std::size_t begin = 0, end = 0;  ///< in drawn_
    std::size_t stride = 0;
    std::vector<std::uint8_t> columns;
    bool holds(const Pending& node) const { return node.begin >= begin && node.end <= end; }
  } block_;
  std::vector<std::uint32_t> order_;         ///< of the features, as the node draws them
  std::vector<std::vector<char>> constant_;  ///< by depth: features with one value there
};

}  // namespace lockstep::learning

#include "learning/trees/forest_grower.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "learning/random.h"

namespace lockstep::learning {

std::uint32_t times_drawn(std::uint64_t seed, std::int64_t tree, std::uint64_t row_id) {
  const double uniform = Draws(seed, Purpose::BOOTSTRAP, static_cast<std::uint64_t>(tree)).uniform(row_id);
  double share = 0.36787944117144233, below = share;  // 1 ÷ e
  std::uint32_t times = 0;
  while (uniform >= below && times < MOST_DRAWN) {
    share /= ++times;
    below += share;
  }
  return times;
}

ForestGrower::ForestGrower(const ForestRows& rows, const std::vector<FeatureBins>& mappers,
                           const TreeOptions& options, std::uint64_t seed,
                           std::unique_ptr<NodeSplitter> splitter)
    : rows_(rows),
      mappers_(mappers),
      options_(options),
      seed_(seed),
      tried_(std::max<std::size_t>(
          1, static_cast<std::size_t>(
                 std::llround(options.feature_fraction_bynode * static_cast<double>(mappers.size()))))),
      splitter_(std::move(splitter)),
      order_(mappers.size()) {
  std::iota(order_.begin(), order_.end(), 0u);
}

void ForestGrower::draw_rows(std::int64_t number) {
  drawn_.clear();
  block_.begin = block_.end = 0;
  for (std::uint32_t row = 0; row < rows_.rows(); ++row) {
    const std::uint32_t times = times_drawn(seed_, number, rows_.ids[row]);
    if (times > 0) drawn_.push_back({row, row, times});
  }
  // A handful of rows may all stay out; the tree then has each of them.
  for (std::uint32_t row = 0; drawn_.empty() && row < rows_.rows(); ++row) drawn_.push_back({row, row, 1});
  spare_.resize(drawn_.size());
}

/// Of so many rows the columns of Fashion-MNIST fit into a second-level cache of 1 MiB.
constexpr std::size_t BLOCK_ROWS = 1024;

void ForestGrower::load_block(const Pending& node) {
  const std::size_t count = node.end - node.begin, features = mappers_.size();
  block_.begin = node.begin;
  block_.end = node.end;
  block_.stride = (count + 7) / 8 * 8;
  block_.columns.resize(block_.stride * features);
  for (std::size_t i = 0; i < count; i += 8) {
    const std::uint8_t* rows[8];
    for (std::size_t lane = 0; lane < 8; ++lane) {
      DrawnRow& drawn = drawn_[node.begin + std::min(i + lane, count - 1)];
      rows[lane] = rows_.by_row.data() + std::size_t{drawn.row} * features;
      if (i + lane < count) drawn.place = static_cast<std::uint32_t>(i + lane);
    }
    for (std::size_t f = 0; f < features; ++f) {
      const std::uint8_t eight[8] = {rows[0][f], rows[1][f], rows[2][f], rows[3][f],
                                     rows[4][f], rows[5][f], rows[6][f], rows[7][f]};
      std::copy_n(eight, 8, block_.columns.data() + f * block_.stride + i);
    }
  }
}

const std::uint8_t* ForestGrower::column(const Pending& node, std::size_t feature) const {
  return block_.holds(node) ? block_.columns.data() + feature * block_.stride : rows_.column(feature);
}

/// Tries features in an order that the node draws, until so many of them had different values and there is a
/// split.
Split ForestGrower::find_split(const Pending& node) {
  const auto depth = static_cast<std::size_t>(node.depth);
  if (constant_.size() < depth + 2) constant_.resize(depth + 2, std::vector<char>(mappers_.size(), 0));
  // What is constant in a node is constant below it. Children are grown before a node beside this one is.
  std::vector<char>& constant = constant_[depth + 1];
  constant = constant_[depth];
  const Draws draws(node.draw, Purpose::FEATURES, 0);
  Split best;
  std::vector<std::size_t> swapped;
  std::size_t varied = 0;
  for (std::size_t i = 0; i < order_.size() && (varied < tried_ || best.feature < 0); ++i) {
    // Fisher and Yates' shuffle, as far as it is needed.
    const std::uint64_t bits = draws.bits(i) >> 32;
    swapped.push_back(i + static_cast<std::size_t>(bits * (order_.size() - i) >> 32));
    std::swap(order_[i], order_[swapped[i]]);
    const std::uint32_t feature = order_[i];
    if (constant[feature] != 0) continue;
    if (splitter_->try_feature(static_cast<std::int32_t>(feature), column(node, feature), best)) {
      ++varied;
    } else {
      constant[feature] = 1;
    }
  }
  for (std::size_t i = swapped.size(); i-- > 0;) std::swap(order_[i], order_[swapped[i]]);
  return best;
}

std::size_t ForestGrower::partition(const Pending& node, const Split& split) {
  const GoesLeft goes_left(split, mappers_[static_cast<std::size_t>(split.feature)].missing());
  const std::uint8_t* bins = column(node, static_cast<std::size_t>(split.feature));
  std::size_t left = node.begin, right = 0;
  for (std::size_t i = node.begin; i < node.end; ++i) {
    const DrawnRow row = drawn_[i];
    const bool is_left = goes_left[bins[row.place]];
    drawn_[left] = row;
    spare_[right] = row;
    left += is_left;
    right += !is_left;
  }
  std::copy_n(spare_.begin(), right, drawn_.begin() + static_cast<std::ptrdiff_t>(left));
  return left;
}

Tree ForestGrower::grow(std::int64_t number) {
  draw_rows(number);
  Tree tree;
  std::vector<Pending> pending;
  pending.push_back({0, drawn_.size(), 0, -1, false,
                     combine(combine(mix(seed_), static_cast<std::uint64_t>(number)), 0), Bounds{}});
  while (!pending.empty()) {
    const Pending node = pending.back();
    pending.pop_back();
    const std::size_t count = node.end - node.begin;
    if (count <= BLOCK_ROWS && !block_.holds(node)) load_block(node);
    splitter_->enter(std::span(drawn_).subspan(node.begin, count), node.bounds);
    const bool may_split =
        (options_.max_depth <= 0 || node.depth < options_.max_depth) &&
        static_cast<std::int64_t>(count) >= 2 * std::max<std::int64_t>(1, options_.min_data_in_leaf) &&
        !splitter_->is_pure();
    const Split split = may_split ? find_split(node) : Split{};
    std::int32_t own = static_cast<std::int32_t>(tree.nodes.size());
    if (split.feature < 0) {
      own = ~static_cast<std::int32_t>(tree.leaf_rows.size());
      splitter_->append_value(tree.values);
      tree.leaf_rows.push_back(static_cast<std::int64_t>(count));
    } else {
      tree.nodes.push_back({split.feature, split.bin, split.is_categorical != 0, split.missing_left != 0,
                            split.set, 0, 0, split.gain, static_cast<std::int64_t>(count)});
      const std::size_t middle = partition(node, split);
      Pending left{node.begin, middle, node.depth + 1, own, true, combine(node.draw, 1), {}};
      Pending right{middle, node.end, node.depth + 1, own, false, combine(node.draw, 2), {}};
      splitter_->bound_sides(split, node.bounds, left.bounds, right.bounds);
      pending.push_back(right);
      pending.push_back(left);
    }
    if (node.parent >= 0) {
      Tree::Node& parent = tree.nodes[static_cast<std::size_t>(node.parent)];
      (node.is_left ? parent.left : parent.right) = own;
    }
  }
  return tree;
}

}  // namespace lockstep::learning

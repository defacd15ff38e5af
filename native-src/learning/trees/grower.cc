#include "learning/trees/grower.h"

#include <algorithm>
#include <cmath>

#include "learning/random.h"
#include "learning/trees/quantise.h"

namespace lockstep::learning {
namespace {

/// So many bytes of histogram stay in the cache next to the rows: wide data is counted a block of features at
/// a time.
constexpr std::size_t BLOCK_BYTES = 512 << 10;

/// The first `fraction` of the features in the order of their draws, at least one.
std::vector<char> draw_features(std::uint64_t draw, std::size_t features, double fraction) {
  std::vector<char> chosen(features, 1);
  if (fraction >= 1) return chosen;
  const Draws draws(draw, Purpose::FEATURES, 1);
  std::vector<std::pair<std::uint64_t, std::size_t>> order;
  for (std::size_t f = 0; f < features; ++f) order.emplace_back(draws.bits(f), f);
  std::ranges::sort(order);
  const auto kept = std::max<std::size_t>(
      1, static_cast<std::size_t>(std::llround(fraction * static_cast<double>(features))));
  for (std::size_t i = kept; i < features; ++i) chosen[order[i].second] = 0;
  return chosen;
}

}  // namespace

TreeGrower::TreeGrower(const Group& group, const TreeData& data, TreeOptions options)
    : group_(group), data_(data), options_(std::move(options)), offsets_{0}, sums_(data.rows()) {
  for (const FeatureBins& mapper : data.mappers) {
    offsets_.push_back(offsets_.back() + static_cast<std::uint32_t>(mapper.values()) + 1);
  }
  whole_.resize(offsets_.back());
  // Contiguous features with about the same number of bins for each rank.
  const auto ranks = static_cast<std::size_t>(group.size());
  for (std::size_t r = 0; r <= ranks; ++r) {
    const std::size_t bins = offsets_.back() * r / ranks;
    first_feature_.push_back(static_cast<std::size_t>(
        std::ranges::lower_bound(offsets_, static_cast<std::uint32_t>(bins)) - offsets_.begin()));
  }
  first_feature_.back() = data.features();
  for (std::size_t r = 0; r < ranks; ++r) {
    numbers_.push_back(
        2 * static_cast<std::int64_t>(offsets_[first_feature_[r + 1]] - offsets_[first_feature_[r]]));
  }
}

std::vector<BinSums> TreeGrower::count(std::size_t begin, std::size_t end) {
  std::ranges::fill(whole_, BinSums{0, 0});
  const auto add_rows = variant_in_use(variants_of_histogram_kernels).add_rows;
  for (std::size_t first = 0, last = 0; first < data_.features(); first = last) {
    for (last = first + 1; last < data_.features() &&
                           (offsets_[last + 1] - offsets_[first]) * sizeof(BinSums) <= BLOCK_BYTES;) {
      ++last;
    }
    add_rows(whole_.data(), offsets_.data(), data_.bins.data(), data_.features(), first, last,
             rows_.data() + begin, end - begin, sums_.data());
  }
  if (group_.size() == 1) return whole_;
  std::vector<BinSums> own(static_cast<std::size_t>(numbers_[static_cast<std::size_t>(group_.rank())] / 2));
  group_.reduce_scatter({reinterpret_cast<std::int64_t*>(whole_.data()), whole_.size() * 2},
                        {reinterpret_cast<std::int64_t*>(own.data()), own.size() * 2}, numbers_);
  return own;
}

bool TreeGrower::may_split(const Leaf& leaf) const {
  const bool is_deep = options_.max_depth > 0 && leaf.depth >= options_.max_depth;
  return !is_deep && fixed_.count(leaf.total) >= 2 * std::max<std::int64_t>(1, options_.min_data_in_leaf);
}

void TreeGrower::find_best(Leaf& leaf, std::uint64_t draw) {
  leaf.best = {};
  if (!may_split(leaf)) return;
  // A node is known by its place: the draws of its features must not depend on the order of growth.
  const std::vector<char> here =
      draw_features(combine(draw, static_cast<std::uint64_t>(2 * (leaf.parent + 1) + (leaf.is_left ? 1 : 0))),
                    data_.features(), options_.feature_fraction_bynode);
  const auto rank = static_cast<std::size_t>(group_.rank());
  const std::uint32_t base = offsets_[first_feature_[rank]];
  for (std::size_t f = first_feature_[rank]; f < first_feature_[rank + 1]; ++f) {
    if (!in_tree_[f] || !here[f]) continue;
    const FeatureBins& mapper = data_.mappers[f];
    find_split({static_cast<std::int32_t>(f), mapper.is_categorical,
                leaf.histogram.data() + (offsets_[f] - base), mapper.values(), nullptr},
               leaf.total, fixed_, options_, leaf.bounds, leaf.best);
  }
}

/// The best of all ranks, of several leaves at once.
void TreeGrower::find_best_of(std::span<const std::size_t> leaves, std::uint64_t draw) {
  std::vector<Split> own;
  for (const std::size_t leaf : leaves) {
    find_best(leaves_[leaf], draw);
    own.push_back(leaves_[leaf].best);
  }
  if (group_.size() == 1) return;
  const std::vector<Split> all = group_.gather(own);
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    Split& best = leaves_[leaves[i]].best = {};
    // Ranks own ascending features, so the first of equals has the lowest.
    for (std::size_t at = i; at < all.size(); at += leaves.size()) {
      if (all[at].gain > best.gain) best = all[at];
    }
  }
}

/// The leaf to split next, or −1.
std::int32_t TreeGrower::choose() const {
  std::int32_t chosen = -1;
  for (std::size_t i = 0; i < leaves_.size(); ++i) {
    if (leaves_[i].best.feature < 0) continue;
    if (chosen < 0) {
      chosen = static_cast<std::int32_t>(i);
      continue;
    }
    const Leaf& before = leaves_[static_cast<std::size_t>(chosen)];
    const bool is_first = options_.depth_wise && leaves_[i].depth != before.depth
                              ? leaves_[i].depth < before.depth
                              : leaves_[i].best.gain > before.best.gain;
    if (is_first) chosen = static_cast<std::int32_t>(i);
  }
  return chosen;
}

/// Orders a leaf's rows: those to the left first. @return where the others begin
std::size_t TreeGrower::partition(const Leaf& leaf, const Split& split) {
  const auto feature = static_cast<std::size_t>(split.feature);
  const GoesLeft goes_left(split, data_.mappers[feature].missing());
  std::size_t left = leaf.begin, right = 0;
  for (std::size_t i = leaf.begin; i < leaf.end; ++i) {
    const std::uint32_t row = rows_[i];
    const bool is_left = goes_left[data_.bins[row * data_.features() + feature]];
    rows_[left] = row;
    spare_[right] = row;
    left += is_left;
    right += !is_left;
  }
  std::copy_n(spare_.begin(), right, rows_.begin() + static_cast<std::ptrdiff_t>(left));
  return left;
}

void TreeGrower::split(Tree& tree, std::size_t chosen, std::uint64_t draw) {
  const auto right_leaf = leaves_.size();
  leaves_.emplace_back();
  Leaf& left = leaves_[chosen];
  Leaf& right = leaves_[right_leaf];
  const Split split = left.best;
  const auto number = static_cast<std::int32_t>(tree.nodes.size());
  if (left.parent >= 0) {
    Tree::Node& parent = tree.nodes[static_cast<std::size_t>(left.parent)];
    (left.is_left ? parent.left : parent.right) = number;
  }
  tree.nodes.push_back({split.feature, split.bin, split.is_categorical != 0, split.missing_left != 0,
                        split.set, ~static_cast<std::int32_t>(chosen), ~static_cast<std::int32_t>(right_leaf),
                        split.gain, fixed_.count(left.total)});

  const std::size_t middle = partition(left, split);
  right.begin = middle;
  right.end = left.end;
  left.end = middle;
  right.depth = left.depth = left.depth + 1;
  left.parent = right.parent = number;
  left.is_left = true;
  left.total = split.left;
  right.total = split.right;
  const Bounds bounds = left.bounds;
  bound_sides(split, fixed_, options_, bounds, left.bounds, right.bounds);
  if (static_cast<std::int32_t>(leaves_.size()) >= options_.num_leaves) return;  // nothing is split any more
  if (!may_split(left) && !may_split(right)) {
    left.best = right.best = {};
    left.histogram = {};
    return;
  }

  const bool left_is_smaller = fixed_.count(left.total) <= fixed_.count(right.total);
  Leaf& smaller = left_is_smaller ? left : right;
  Leaf& larger = left_is_smaller ? right : left;
  std::vector<BinSums> parent = std::move(left.histogram);
  smaller.histogram = count(smaller.begin, smaller.end);
  for (std::size_t i = 0; i < parent.size(); ++i) parent[i] = parent[i] - smaller.histogram[i];
  larger.histogram = std::move(parent);
  const std::size_t both[] = {chosen, right_leaf};
  find_best_of(both, draw);
}

Tree TreeGrower::grow(std::span<const double> gradients, std::span<const double> hessians,
                      std::vector<std::uint32_t> used, std::uint64_t draw) {
  rows_ = std::move(used);
  spare_.resize(rows_.size());
  fixed_ = quantise(group_, gradients, hessians, rows_, data_.all_rows, sums_);
  in_tree_ = draw_features(draw, data_.features(), options_.feature_fraction);
  leaves_.assign(1, {});
  leaves_.reserve(static_cast<std::size_t>(options_.num_leaves));
  Leaf& root = leaves_[0];
  root.end = rows_.size();
  std::int64_t total[2] = {0, 0};
  for (const std::uint32_t row : rows_) {
    total[0] += sums_[row].gradient;
    total[1] += sums_[row].hessian_and_count;
  }
  group_.sum(total);
  root.total = {total[0], total[1]};
  root.histogram = count(0, rows_.size());
  const std::size_t only[] = {0};
  find_best_of(only, draw);

  Tree tree;
  while (static_cast<std::int32_t>(leaves_.size()) < options_.num_leaves) {
    const std::int32_t chosen = choose();
    if (chosen < 0) break;
    split(tree, static_cast<std::size_t>(chosen), draw);
  }
  for (const Leaf& leaf : leaves_) {
    tree.values.push_back(leaf_value(leaf.total, fixed_, options_.lambda_l2, leaf.bounds));
    tree.leaf_rows.push_back(fixed_.count(leaf.total));
  }
  return tree;
}

}  // namespace lockstep::learning

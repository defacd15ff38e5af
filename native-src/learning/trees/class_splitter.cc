#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "learning/k_means/points.h"
#include "learning/trees/class_counts.h"
#include "learning/trees/histogram_kernels.h"
#include "learning/trees/node_splitter.h"

namespace lockstep::learning {
namespace {

/// Of a weight, relative to the largest. MOST_LISTED rows that were drawn MOST_DRAWN times each have sums
/// whose squares are below 2^62.
constexpr int WEIGHT_BITS = 18;

class ClassSplitter final : public NodeSplitter {
 public:
  ClassSplitter(const ForestRows& rows, const std::vector<FeatureBins>& mappers, const TreeOptions& options,
                std::size_t classes, std::size_t outputs)
      : mappers_(mappers), options_(options), outputs_(outputs), weights_(rows.rows(), 1) {
    node_.total.resize((classes + CLASS_LANES - 1) / CLASS_LANES * CLASS_LANES);
    for (const double target : rows.targets) classes_.push_back(static_cast<std::uint16_t>(target));
    if (rows.weights.empty()) return;
    const double largest = std::ranges::max(rows.weights);
    unit_ = std::ldexp(power_of_two_above(largest), -WEIGHT_BITS);
    for (std::size_t i = 0; i < rows.rows(); ++i)
      weights_[i] = std::max(1u, static_cast<std::uint32_t>(std::llround(rows.weights[i] / unit_)));
  }

  void enter(std::span<const DrawnRow> rows, const Bounds&) override {
    node_.places.resize(rows.size());
    node_.classes.resize(rows.size());
    node_.weights.resize(rows.size());
    std::ranges::fill(node_.total, 0);
    node_.weight = node_.squares = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      node_.places[i] = rows[i].place;
      node_.classes[i] = classes_[rows[i].row];
      node_.weights[i] = weights_[rows[i].row] * rows[i].times;
      node_.total[node_.classes[i]] += node_.weights[i];
    }
    for (const double one : node_.total) {
      node_.weight += one;
      node_.squares += one * one;
    }
    most_frequent_ = static_cast<std::size_t>(std::ranges::max_element(node_.total) - node_.total.begin());
    const bool counts_rows = options_.min_data_in_leaf > 1;
    if (rows.size() <= MOST_LISTED) {
      listed_.enter(node_);
    } else if (fits_small()) {
      counted_.enter(node_, counts_rows);
    } else {
      heavy_.enter(node_, counts_rows);
    }
  }

  bool is_pure() const override { return node_.total[most_frequent_] == node_.weight; }

  void append_value(std::vector<double>& values) const override {
    for (std::size_t k = 0; k < outputs_; ++k)
      values.push_back(node_.total[outputs_ == 1 ? 1 : k] / node_.weight);
  }

  bool try_feature(std::int32_t feature, const std::uint8_t* column, Split& best) override {
    if (node_.size() <= MOST_LISTED) return try_with(listed_, feature, column, best);
    return fits_small() ? try_with(counted_, feature, column, best) : try_with(heavy_, feature, column, best);
  }

  void bound_sides(const Split&, const Bounds& bounds, Bounds& left, Bounds& right) const override {
    left = right = bounds;
  }

 private:
  bool fits_small() const { return node_.weight <= std::numeric_limits<std::int32_t>::max(); }

  template <typename Rows>
  bool try_with(Rows& rows, std::int32_t feature, const std::uint8_t* column, Split& best) {
    list_present(rows.read(column));
    if (present_.size() < 2) return false;
    const FeatureBins& mapper = mappers_[static_cast<std::size_t>(feature)];
    const std::uint8_t missing = mapper.missing();
    const bool some_missing = present_.back() == missing;
    if (mapper.is_categorical) {
      if (some_missing) present_.pop_back();
      order_by_share(rows);
      if (some_missing) present_.push_back(missing);
    }
    rows.score(present_, scores_);
    choose(feature, mapper, 0, present_.size() - 1, best);
    if (!some_missing || mapper.is_categorical) return true;
    // The missing ones to the left, before the first bin.
    std::ranges::rotate(present_, present_.end() - 1);
    rows.score(present_, scores_);
    choose(feature, mapper, 1, present_.size() - 1, best);
    return true;
  }

  void list_present(const ByteSet& seen) {
    present_.clear();
    for (std::uint32_t word = 0; word < 4; ++word) {
      for (std::uint64_t bits = seen[word]; bits != 0; bits &= bits - 1)
        present_.push_back(
            static_cast<std::uint8_t>(64 * word + static_cast<std::uint32_t>(std::countr_zero(bits))));
    }
  }

  template <typename Rows>
  void order_by_share(const Rows& rows) {
    std::vector<std::pair<double, std::uint8_t>> order;
    for (const std::uint8_t bin : present_) {
      const auto [weight, of_class] = rows.weight_of(bin, most_frequent_);
      order.emplace_back(weight > 0 ? of_class / weight : 0, bin);
    }
    std::ranges::sort(order);
    for (std::size_t i = 0; i < order.size(); ++i) present_[i] = order[i].second;
  }

  /// Takes the best of the splits after the bins [begin, end) of present_, if it is better than `best`.
  void choose(std::int32_t feature, const FeatureBins& mapper, std::size_t begin, std::size_t end,
              Split& best) const {
    const double before = node_.squares / node_.weight + options_.min_gain_to_split / unit_;
    const std::int64_t least = std::max<std::int64_t>(1, options_.min_data_in_leaf);
    const std::int64_t most = scores_.left_rows[present_.size() - 1] - least;
    for (std::size_t i = begin; i < end; ++i) {
      const double gain = (scores_.scores[i] - before) * unit_;
      if (!(gain > best.gain) || scores_.left_rows[i] < least || scores_.left_rows[i] > most) continue;
      best = {gain, feature, present_[i], mapper.is_categorical, begin > 0, {}, {0, 0}, {0, 0}};
      for (std::size_t bin = 0; mapper.is_categorical && bin <= i; ++bin) insert(best.set, present_[bin]);
    }
  }

  const std::vector<FeatureBins>& mappers_;
  const TreeOptions& options_;
  const std::size_t outputs_;
  double unit_ = 1;                     ///< of the integer weights
  std::vector<std::uint32_t> weights_;  ///< by row, of one draw
  std::vector<std::uint16_t> classes_;  ///< by row
  ClassNode node_;
  std::size_t most_frequent_ = 0;
  std::vector<std::uint8_t> present_;
  SplitScores scores_;
  ListedRows listed_;
  CountedRows<std::int32_t> counted_;
  CountedRows<double> heavy_;
};

}  // namespace

std::unique_ptr<NodeSplitter> class_splitter(const ForestRows& rows, const std::vector<FeatureBins>& mappers,
                                             const TreeOptions& options, std::size_t classes,
                                             std::size_t outputs) {
  return std::make_unique<ClassSplitter>(rows, mappers, options, classes, outputs);
}

}  // namespace lockstep::learning

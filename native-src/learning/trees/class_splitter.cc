#include <algorithm>
#include <bit>
#include <cmath>

#include "learning/k_means/points.h"
#include "learning/trees/histogram_kernels.h"
#include "learning/trees/node_splitter.h"

namespace lockstep::learning {
namespace {

/// Up to so many rows, walking the rows of each bin costs less than a count of every class in every bin.
constexpr std::size_t MOST_LISTED = 512;
/// Of a weight, relative to the largest. MOST_LISTED rows that were drawn MOST_DRAWN times each have sums
/// whose squares are below 2^62.
constexpr int WEIGHT_BITS = 18;
constexpr std::uint16_t NONE = 0xffff;

/// Moves the bins of a feature from the right side of a split to the left, one after the other.
struct Sides {
  std::int64_t left_rows = 0, rows = 0;
  double left_weight = 0, weight = 0;
  double left_squares = 0, right_squares = 0;  ///< Σ over classes of the squared weight

  double score() const {
    const double right_weight = weight - left_weight;
    return left_weight > 0 && right_weight > 0 ? left_squares / left_weight + right_squares / right_weight
                                               : 0;
  }
};

class ClassSplitter final : public NodeSplitter {
 public:
  ClassSplitter(const ForestRows& rows, const std::vector<FeatureBins>& mappers, const TreeOptions& options,
                std::size_t classes, std::size_t outputs)
      : mappers_(mappers),
        options_(options),
        outputs_(outputs),
        stride_((classes + CLASS_LANES - 1) / CLASS_LANES * CLASS_LANES),
        total_(stride_, 0),
        left_(stride_, 0),
        integers_(stride_, 0),
        histogram_(stride_ * 256),
        weights_(rows.rows(), 1) {
    for (const double target : rows.targets) classes_.push_back(static_cast<std::uint16_t>(target));
    if (rows.weights.empty()) return;
    const double largest = std::ranges::max(rows.weights);
    unit_ = std::ldexp(power_of_two_above(largest), -WEIGHT_BITS);
    for (std::size_t i = 0; i < rows.rows(); ++i)
      weights_[i] = std::max(1u, static_cast<std::uint32_t>(std::llround(rows.weights[i] / unit_)));
  }

  void enter(std::span<const DrawnRow> rows, const Bounds&) override {
    node_ = rows;
    node_classes_.resize(rows.size());
    node_weights_.resize(rows.size());
    std::ranges::fill(total_, 0);
    weight_ = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      node_classes_[i] = classes_[rows[i].row];
      node_weights_[i] = static_cast<double>(std::uint64_t{weights_[rows[i].row]} * rows[i].times);
      total_[node_classes_[i]] += node_weights_[i];
      weight_ += node_weights_[i];
    }
    squares_ = 0;
    for (const double one : total_) squares_ += one * one;
    most_frequent_ = static_cast<std::size_t>(std::ranges::max_element(total_) - total_.begin());
  }

  bool is_pure() const override { return total_[most_frequent_] == weight_; }

  void append_value(std::vector<double>& values) const override {
    for (std::size_t k = 0; k < outputs_; ++k) values.push_back(total_[outputs_ == 1 ? 1 : k] / weight_);
  }

  bool try_feature(std::int32_t feature, const std::uint8_t* column, Split& best) override {
    read_bins(column);
    if (present_.size() < 2) return false;
    const FeatureBins& mapper = mappers_[static_cast<std::size_t>(feature)];
    const std::uint8_t missing = mapper.missing();
    const bool some_missing = present_.back() == missing;
    if (some_missing) present_.pop_back();
    if (mapper.is_categorical) {
      order_by_share();
      sweep(feature, mapper, missing, false, best);
      return true;
    }
    for (int missing_left = 0; missing_left < (some_missing ? 2 : 1); ++missing_left)
      sweep(feature, mapper, missing, missing_left != 0, best);
    return true;
  }

  void bound_sides(const Split&, const Bounds& bounds, Bounds& left, Bounds& right) const override {
    left = right = bounds;
  }

 private:
  bool is_listed() const { return node_.size() <= MOST_LISTED; }

  /// Which bins there are, and the rows or the classes of each.
  void read_bins(const std::uint8_t* column) {
    ByteSet seen{};
    if (is_listed()) {
      for (std::size_t i = 0; i < node_.size(); ++i) {
        const std::uint8_t bin = column[node_[i].place];
        next_[i] = contains(seen, bin) ? first_[bin] : NONE;
        first_[bin] = static_cast<std::uint16_t>(i);
        insert(seen, bin);
      }
    } else {
      std::ranges::fill(histogram_, 0);
      std::ranges::fill(bin_rows_, 0);
      constexpr std::size_t AHEAD = 24;  // the column does not fit into the nearest caches
      for (std::size_t i = 0; i < node_.size(); ++i) {
        if (i + AHEAD < node_.size()) __builtin_prefetch(column + node_[i + AHEAD].place);
        const std::uint8_t bin = column[node_[i].place];
        histogram_[bin * stride_ + node_classes_[i]] += node_weights_[i];
        ++bin_rows_[bin];
      }
      for (std::uint32_t bin = 0; bin < 256; ++bin) {
        if (bin_rows_[bin] > 0) insert(seen, bin);
      }
    }
    present_.clear();
    for (std::uint32_t word = 0; word < 4; ++word) {
      for (std::uint64_t bits = seen[word]; bits != 0; bits &= bits - 1)
        present_.push_back(
            static_cast<std::uint8_t>(64 * word + static_cast<std::uint32_t>(std::countr_zero(bits))));
    }
  }

  void order_by_share() {
    std::vector<std::pair<double, std::uint8_t>> order;
    for (const std::uint8_t bin : present_) {
      double weight = 0, of_class = 0;
      if (is_listed()) {
        for (std::uint16_t i = first_[bin]; i != NONE; i = next_[i]) {
          weight += node_weights_[i];
          if (node_classes_[i] == most_frequent_) of_class += node_weights_[i];
        }
      } else {
        for (std::size_t k = 0; k < stride_; ++k) weight += histogram_[bin * stride_ + k];
        of_class = histogram_[bin * stride_ + most_frequent_];
      }
      order.emplace_back(weight > 0 ? of_class / weight : 0, bin);
    }
    std::ranges::sort(order);
    for (std::size_t i = 0; i < order.size(); ++i) present_[i] = order[i].second;
  }

  void start(Sides& sides) {
    sides = {0, static_cast<std::int64_t>(node_.size()), 0, weight_, 0, squares_};
    if (is_listed()) {
      std::ranges::fill(integers_, 0);
      left_integer_squares_ = 0;
      right_integer_squares_ = static_cast<std::int64_t>(squares_);
    } else {
      std::ranges::fill(left_, 0);
    }
  }

  void move_left(std::uint8_t bin, Sides& sides) {
    if (!is_listed()) {
      double squares[2], weight;
      variant_in_use(variants_of_histogram_kernels)
          .add_classes(left_.data(), histogram_.data() + bin * stride_, total_.data(), stride_, squares,
                       &weight);
      sides.left_rows += bin_rows_[bin];
      sides.left_weight += weight;
      sides.left_squares = squares[0];
      sides.right_squares = squares[1];
      return;
    }
    for (std::uint16_t i = first_[bin]; i != NONE; i = next_[i]) {
      const auto weight = static_cast<std::int64_t>(node_weights_[i]);
      std::int64_t& left = integers_[node_classes_[i]];
      const std::int64_t right = static_cast<std::int64_t>(total_[node_classes_[i]]) - left;
      left_integer_squares_ += weight * (2 * left + weight);
      right_integer_squares_ -= weight * (2 * right - weight);
      left += weight;
      sides.left_weight += node_weights_[i];
      ++sides.left_rows;
    }
    sides.left_squares = static_cast<double>(left_integer_squares_);
    sides.right_squares = static_cast<double>(right_integer_squares_);
  }

  void sweep(std::int32_t feature, const FeatureBins& mapper, std::uint8_t missing, bool missing_left,
             Split& best) {
    Sides sides;
    start(sides);
    if (missing_left) move_left(missing, sides);
    const double before = squares_ / weight_ + options_.min_gain_to_split / unit_;
    const std::int64_t least = std::max<std::int64_t>(1, options_.min_data_in_leaf);
    ByteSet set{};
    for (const std::uint8_t bin : present_) {
      move_left(bin, sides);
      if (mapper.is_categorical) insert(set, bin);
      if (sides.left_rows < least) continue;
      if (sides.rows - sides.left_rows < least) break;
      const double gain = (sides.score() - before) * unit_;
      if (gain > best.gain)
        best = {gain, feature, bin, mapper.is_categorical, missing_left, set, {0, 0}, {0, 0}};
    }
  }

  const std::vector<FeatureBins>& mappers_;
  const TreeOptions& options_;
  const std::size_t outputs_, stride_;
  double unit_ = 1;  ///< of the integer weights
  std::span<const DrawnRow> node_;
  std::vector<std::uint16_t> node_classes_;
  std::vector<double> node_weights_;
  std::vector<double> total_, left_;  ///< integers, by class
  std::vector<std::int64_t> integers_;
  std::int64_t left_integer_squares_ = 0, right_integer_squares_ = 0;
  double weight_ = 0, squares_ = 0;
  std::size_t most_frequent_ = 0;
  std::vector<std::uint8_t> present_;
  std::vector<double> histogram_;  ///< bins × classes
  std::array<std::uint32_t, 256> bin_rows_{};
  std::array<std::uint16_t, 256> first_{};
  std::array<std::uint16_t, MOST_LISTED> next_{};
  std::vector<std::uint32_t> weights_;
  std::vector<std::uint16_t> classes_;
};

}  // namespace

std::unique_ptr<NodeSplitter> class_splitter(const ForestRows& rows, const std::vector<FeatureBins>& mappers,
                                             const TreeOptions& options, std::size_t classes,
                                             std::size_t outputs) {
  return std::make_unique<ClassSplitter>(rows, mappers, options, classes, outputs);
}

}  // namespace lockstep::learning

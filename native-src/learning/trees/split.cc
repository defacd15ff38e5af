#include "learning/trees/split.h"

#include <algorithm>

namespace lockstep::learning {
namespace {

/// What the loss falls by, twice, where a leaf takes its best value within bounds.
double score(const BinSums& sums, const FixedPoint& fixed, double lambda, const Bounds& bounds) {
  const double gradient = fixed.gradient(sums), weight = fixed.hessian(sums) + lambda;
  if (!(weight > 0)) return 0;
  const double free = -gradient / weight;
  if (free >= bounds.low && free <= bounds.high) return gradient * gradient / weight;
  const double value = std::clamp(free, bounds.low, bounds.high);
  return -(2 * gradient * value + weight * value * value);
}

bool is_allowed(const BinSums& sums, const FixedPoint& fixed, const TreeOptions& options) {
  return fixed.count(sums) >= options.min_data_in_leaf && fixed.count(sums) > 0 &&
         fixed.hessian(sums) >= options.min_sum_hessian_in_leaf;
}

std::int32_t direction_of(const TreeOptions& options, std::int32_t feature) {
  return options.monotone.empty() ? 0 : options.monotone[static_cast<std::size_t>(feature)];
}

struct Search {
  const FixedPoint& fixed;
  const TreeOptions& options;
  const Bounds& bounds;
  const BinSums& total;
  double before;
  double lambda;
  std::int32_t direction;

  /// @return the gain, 0 where the split is not allowed
  double gain(const BinSums& left, const BinSums& right) const {
    if (!is_allowed(left, fixed, options) || !is_allowed(right, fixed, options)) return 0;
    if (direction != 0) {
      const double difference =
          leaf_value(right, fixed, lambda, bounds) - leaf_value(left, fixed, lambda, bounds);
      if (difference * direction < 0) return 0;
    }
    return score(left, fixed, lambda, bounds) + score(right, fixed, lambda, bounds) - before;
  }
};

void find_number(const Search& search, const FeatureHistogram& histogram, Split& best) {
  const BinSums* bins = histogram.bins;
  const BinSums missing = bins[histogram.count];
  const bool some_missing = search.fixed.count(missing) > 0;
  for (int missing_left = 0; missing_left < (some_missing ? 2 : 1); ++missing_left) {
    BinSums left = missing_left != 0 ? missing : BinSums{0, 0};
    // With missing values on the right alone, the last bin is worth a split: present against missing.
    const std::int32_t last = missing_left != 0 || !some_missing ? histogram.count - 1 : histogram.count;
    for (std::int32_t bin = 0; bin < last; ++bin) {
      left = left + bins[bin];
      if (bins[bin].hessian_and_count == 0 && bin > 0) continue;  // the same rows as one bin before
      const BinSums right = search.total - left;
      const double gain = search.gain(left, right);
      if (gain > best.gain)
        best = {gain, histogram.feature, histogram.number(bin), 0, missing_left, {}, left, right};
    }
  }
}

void find_categories(const Search& search, const FeatureHistogram& histogram, Split& best) {
  const BinSums* bins = histogram.bins;
  std::vector<std::pair<double, std::int32_t>> order;
  for (std::int32_t bin = 0; bin < histogram.count; ++bin) {
    if (search.fixed.count(bins[bin]) == 0) continue;
    order.emplace_back(
        search.fixed.gradient(bins[bin]) / (search.fixed.hessian(bins[bin]) + search.options.cat_smooth),
        bin);
  }
  std::ranges::sort(order);
  BinSums left{0, 0};
  ByteSet set{};
  for (const auto& [place, bin] : order) {
    left = left + bins[bin];
    insert(set, static_cast<std::uint32_t>(histogram.number(bin)));
    const BinSums right = search.total - left;
    const double gain = search.gain(left, right);
    if (gain > best.gain) best = {gain, histogram.feature, 0, 1, 0, set, left, right};
  }
}

}  // namespace

GoesLeft::GoesLeft(const Split& split, std::uint8_t missing) {
  for (std::uint32_t bin = 0; bin < 256; ++bin) {
    by_bin_[bin] =
        split.is_categorical != 0 ? contains(split.set, bin) : static_cast<std::int32_t>(bin) <= split.bin;
  }
  by_bin_[missing] = split.missing_left != 0;
}

BinSums operator+(const BinSums& a, const BinSums& b) {
  return {a.gradient + b.gradient, a.hessian_and_count + b.hessian_and_count};
}
BinSums operator-(const BinSums& a, const BinSums& b) {
  return {a.gradient - b.gradient, a.hessian_and_count - b.hessian_and_count};
}

double leaf_value(const BinSums& sums, const FixedPoint& fixed, double lambda, const Bounds& bounds) {
  const double weight = fixed.hessian(sums) + lambda;
  return weight > 0 ? std::clamp(-fixed.gradient(sums) / weight, bounds.low, bounds.high) : 0;
}

void find_split(const FeatureHistogram& histogram, const BinSums& total, const FixedPoint& fixed,
                const TreeOptions& options, const Bounds& bounds, Split& best) {
  const double lambda = options.lambda_l2 + (histogram.is_categorical ? options.cat_l2 : 0);
  const double before = score(total, fixed, options.lambda_l2, bounds) + options.min_gain_to_split;
  const Search search{
      fixed, options, bounds, total, before, lambda, direction_of(options, histogram.feature)};
  if (histogram.is_categorical) {
    find_categories(search, histogram, best);
  } else {
    find_number(search, histogram, best);
  }
}

void bound_sides(const Split& split, const FixedPoint& fixed, const TreeOptions& options,
                 const Bounds& bounds, Bounds& left, Bounds& right) {
  left = right = bounds;
  const std::int32_t direction = direction_of(options, split.feature);
  if (direction == 0) return;
  const double between = (leaf_value(split.left, fixed, options.lambda_l2, bounds) +
                          leaf_value(split.right, fixed, options.lambda_l2, bounds)) /
                         2;
  (direction > 0 ? left.high : left.low) = between;
  (direction > 0 ? right.low : right.high) = between;
}

}  // namespace lockstep::learning

#pragma once

#include <cstdint>
#include <vector>

#include "learning/trees/binning.h"
#include "learning/trees/histogram_kernels.h"

namespace lockstep::learning {

struct TreeOptions {
  std::int32_t num_leaves = 31;
  std::int32_t max_depth = -1;  ///< −1: no limit
  bool depth_wise = false;
  std::int64_t min_data_in_leaf = 20;
  double min_sum_hessian_in_leaf = 1e-3;
  double lambda_l2 = 0;
  double min_gain_to_split = 0;
  double feature_fraction = 1;
  double feature_fraction_bynode = 1;
  double cat_smooth = 10;
  double cat_l2 = 10;
  std::vector<std::int32_t> monotone;  ///< by feature −1, 0 or 1; or empty
};

/// How the integers of a histogram are read.
struct FixedPoint {
  double gradient_unit = 1;
  double hessian_unit = 1;
  int count_shift = 32;

  double gradient(const BinSums& sums) const { return static_cast<double>(sums.gradient) * gradient_unit; }
  double hessian(const BinSums& sums) const {
    return static_cast<double>(sums.hessian_and_count & ((std::int64_t{1} << count_shift) - 1)) *
           hessian_unit;
  }
  std::int64_t count(const BinSums& sums) const { return sums.hessian_and_count >> count_shift; }
};

/// Limits of a leaf's value that monotone constraints above it set.
struct Bounds {
  double low = -__builtin_inf(), high = __builtin_inf();
};

/// Where a leaf would best be split. Plain data: ranks send it to each other.
struct Split {
  double gain = 0;  ///< 0: nowhere
  std::int32_t feature = -1;
  std::int32_t bin = 0;
  std::int32_t is_categorical = 0;
  std::int32_t missing_left = 0;
  ByteSet set{};
  BinSums left{0, 0}, right{0, 0};
};

/// By bin, whether a split sends it left.
class GoesLeft {
 public:
  GoesLeft(const Split& split, std::uint8_t missing);
  bool operator[](std::uint8_t bin) const { return by_bin_[bin] != 0; }

 private:
  char by_bin_[256];
};

BinSums operator+(const BinSums& a, const BinSums& b);
BinSums operator-(const BinSums& a, const BinSums& b);

double leaf_value(const BinSums& sums, const FixedPoint& fixed, double lambda, const Bounds& bounds);

/// A feature's part of a leaf's histogram.
struct FeatureHistogram {
  std::int32_t feature;
  bool is_categorical;
  const BinSums* bins;          ///< and after them what is missing
  std::int32_t count;           ///< of bins, without what is missing
  const std::uint8_t* numbers;  ///< of the bins, ascending; null for 0, 1, 2, …
  std::int32_t number(std::int32_t at) const { return numbers == nullptr ? at : numbers[at]; }
};

/// Improves `best` by the splits of one feature: numbers by the lowest bin among equals, missing values to
/// the right before to the left; categories in the order of gradient ÷ (hessian + cat_smooth) (Fisher 1958,
/// as LightGBM).
void find_split(const FeatureHistogram& histogram, const BinSums& total, const FixedPoint& fixed,
                const TreeOptions& options, const Bounds& bounds, Split& best);

/// What a split of a feature with a monotone constraint leaves to the values of its sides: they stay on
/// either side of the middle between them.
void bound_sides(const Split& split, const FixedPoint& fixed, const TreeOptions& options,
                 const Bounds& bounds, Bounds& left, Bounds& right);

}  // namespace lockstep::learning

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "learning/group.h"

namespace lockstep::learning {

/// This rank's rows, moved by the mean of each column and scaled by a power of two so that no coordinate
/// exceeds 1, then rounded to f32. Distances among such rows do not cancel, and the fixed-point sums have
/// known ranges.
class Points {
 public:
  /// Collective. @param values rows × dimension, finite; @param weights one for each row, ≥ 0, or empty for
  /// ones
  /// @throws Error INVALID_ARGUMENT on all ranks for a value that is not finite, a negative weight, or no
  /// rows at all
  Points(const Group& group, std::span<const double> values, std::size_t dimension,
         std::span<const double> weights);
  /// Rows that are scaled already, held by every rank alike: the candidates for centres.
  Points(std::vector<float> values, std::size_t dimension, std::vector<double> weights,
         std::vector<std::uint64_t> ids);

  std::size_t rows() const { return ids_.size(); }
  std::size_t dimension() const { return dimension_; }
  /// Over all ranks.
  std::int64_t all_rows() const { return all_rows_; }
  const float* row(std::size_t i) const { return values_.data() + i * dimension_; }
  /// Relative to the largest, so at most 1.
  double weight(std::size_t i) const { return weights_.empty() ? 1 : weights_[i]; }
  std::uint64_t id(std::size_t i) const { return ids_[i]; }
  double squared_norm(std::size_t i) const { return static_cast<double>(squared_norms_[i]); }

  /// Fixed-point scales: a row adds round(x × weight × scales[i]) to a column's sum, round(weight ×
  /// weight_scale) to a sum of weights.
  const std::vector<double>& scales() const { return scales_; }
  double weight_scale() const { return weight_scale_; }
  std::int64_t fixed_weight(std::size_t i) const;

  /// What one unit of distance and of weight is outside: multiply squared distances by the first.
  double squared_unit() const { return unit_ * unit_; }
  double weight_unit() const { return weight_unit_; }
  /// From a centre here to the coordinates outside, and back.
  void to_outside(const double* scaled, double* out) const;
  void to_inside(const double* outside, double* scaled) const;
  /// Mean over columns of the variance, in the outside's units.
  double mean_variance() const { return mean_variance_; }

 private:
  std::vector<std::uint64_t> identities_of(const Group& group, std::span<const double> values) const;
  void measure();

  std::size_t dimension_;
  std::int64_t all_rows_ = 0;
  std::vector<float> values_;
  std::vector<double> weights_;
  std::vector<std::uint64_t> ids_;
  std::vector<float> squared_norms_;
  std::vector<double> shift_;
  std::vector<double> scales_;
  double weight_scale_ = 1;
  double unit_ = 1;
  double weight_unit_ = 1;
  double mean_variance_ = 0;
};

/// A sum of non-negative numbers as two integers, so that its order does not matter: whole units and
/// fractions of one.
class CostSum {
 public:
  /// @param limit no single term is larger; @param terms nor are there more
  CostSum(double limit, std::int64_t terms);
  void add(double value);
  std::int64_t parts[2] = {0, 0};
  double value() const;

 private:
  double unit_, inverse_unit_, fraction_;
};

/// The smallest power of two that is not below x > 0.
double power_of_two_above(double x);

}  // namespace lockstep::learning

#include "learning/k_means/points.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "learning/k_means/distance_kernels.h"
#include "learning/row_identity.h"
#include "lockstep/error.h"

namespace lockstep::learning {
namespace {

/// The square of a difference of two such values is still finite.
constexpr double LARGEST = 1e150;

/// Bits of one term when `terms` of them are added in 63 bits, and at most the 50 that rounding by addition
/// allows.
int bits_for(std::int64_t terms) {
  int bits = 62;
  for (std::int64_t reach = 1; reach < terms + 1; reach *= 2) --bits;
  return std::clamp(bits, 1, 50);
}

void refuse_unusable(const Group& group, std::span<const double> values, std::span<const double> weights,
                     std::int64_t rows) {
  std::int64_t found[2] = {
      std::ranges::count_if(values, [](double v) { return !(std::abs(v) <= LARGEST); }),
      std::ranges::count_if(weights, [](double w) { return !(std::isfinite(w) && w >= 0); })};
  group.sum(found);
  if (rows == 0)
    throw Error(ErrorCode::INVALID_ARGUMENT, "There are no rows on any rank; k-means needs at least one.");
  if (found[0] > 0) {
    throw Error(ErrorCode::INVALID_ARGUMENT, "The data holds " + std::to_string(found[0]) +
                                                 " values that are missing, infinite or beyond 1e150; "
                                                 "k-means has no distance to them. Drop or fill "
                                                 "those rows.");
  }
  if (found[1] > 0) {
    throw Error(ErrorCode::INVALID_ARGUMENT,
                std::to_string(found[1]) + " weights are negative or not finite.");
  }
}

}  // namespace

double power_of_two_above(double x) {
  int exponent = 0;
  const double fraction = std::frexp(x, &exponent);
  return std::ldexp(1.0, fraction == 0.5 ? exponent - 1 : exponent);
}

Points::Points(const Group& group, std::span<const double> values, std::size_t dimension,
               std::span<const double> weights)
    : dimension_(dimension), shift_(dimension) {
  all_rows_ = group.sum(static_cast<std::int64_t>(values.size() / dimension));
  refuse_unusable(group, values, weights, all_rows_);

  // Means by fixed point: first the largest magnitude of each column, then sums relative to it.
  std::vector<double> largest(dimension + 1, 0);
  for (std::size_t i = 0; i < values.size(); ++i) {
    largest[i % dimension] = std::max(largest[i % dimension], std::abs(values[i]));
  }
  for (const double weight : weights) largest[dimension] = std::max(largest[dimension], weight);
  if (weights.empty()) largest[dimension] = 1;
  group.max(largest);
  weight_unit_ = largest[dimension] > 0 ? power_of_two_above(largest[dimension]) : 1;
  if (!weights.empty() && largest[dimension] == 0) {
    throw Error(ErrorCode::INVALID_ARGUMENT, "All weights are 0; k-means needs a row that counts.");
  }
  weights_.resize(weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i) weights_[i] = weights[i] / weight_unit_;
  // Before the rows are copied: agreeing on identities takes about as much memory as they do.
  ids_ = identities_of(group, values);

  const double reach = std::ldexp(1.0, bits_for(all_rows_));
  std::vector<std::int64_t> sums(dimension, 0);
  std::vector<double> to_value(dimension);
  for (std::size_t j = 0; j < dimension; ++j) {
    to_value[j] = largest[j] > 0 ? power_of_two_above(largest[j]) : 1;
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    sums[i % dimension] += std::llrint(values[i] / to_value[i % dimension] * reach);
  }
  group.sum(sums);
  for (std::size_t j = 0; j < dimension; ++j) {
    shift_[j] = static_cast<double>(sums[j]) / static_cast<double>(all_rows_) / reach * to_value[j];
  }

  std::vector<double> spread(dimension, 0);
  for (std::size_t i = 0; i < values.size(); ++i) {
    spread[i % dimension] = std::max(spread[i % dimension], std::abs(values[i] - shift_[i % dimension]));
  }
  group.max(spread);
  const double widest = std::ranges::max(spread);
  unit_ = widest > 0 ? power_of_two_above(widest) : 1;
  values_.resize(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    values_[i] = static_cast<float>((values[i] - shift_[i % dimension]) / unit_);
  }
  scales_.resize(dimension);
  for (std::size_t j = 0; j < dimension; ++j) {
    scales_[j] = spread[j] > 0 ? reach / (power_of_two_above(spread[j]) / unit_) / 2 : 1;
  }
  weight_scale_ = reach;

  measure();

  CostSum squares(static_cast<double>(dimension), all_rows_);
  for (std::size_t i = 0; i < rows(); ++i) squares.add(squared_norm(i));
  group.sum(squares.parts);
  mean_variance_ =
      squares.value() / static_cast<double>(all_rows_) / static_cast<double>(dimension) * unit_ * unit_;
}

std::vector<std::uint64_t> Points::identities_of(const Group& group, std::span<const double> values) const {
  std::vector<std::uint64_t> content(values.size() / dimension_);
  std::vector<double> whole(dimension_ + 1);
  for (std::size_t i = 0; i < content.size(); ++i) {
    std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(i * dimension_), dimension_, whole.begin());
    whole[dimension_] = weight(i);
    content[i] = content_hash(whole);
  }
  return identities(group, content);
}

Points::Points(std::vector<float> values, std::size_t dimension, std::vector<double> weights,
               std::vector<std::uint64_t> ids)
    : dimension_(dimension),
      all_rows_(static_cast<std::int64_t>(ids.size())),
      values_(std::move(values)),
      weights_(std::move(weights)),
      ids_(std::move(ids)),
      shift_(dimension, 0) {
  const double reach = std::ldexp(1.0, bits_for(all_rows_));
  scales_.assign(dimension, reach / 2);
  weight_scale_ = reach;
  measure();
}

void Points::measure() {
  const std::vector<double> origin(dimension_, 0);
  const auto squared_distance = variant_in_use(variants_of_distance_kernels).squared_distance;
  squared_norms_.resize(rows());
  for (std::size_t i = 0; i < rows(); ++i) {
    squared_norms_[i] = static_cast<float>(squared_distance(row(i), origin.data(), dimension_));
  }
}

std::int64_t Points::fixed_weight(std::size_t i) const { return std::llrint(weight(i) * weight_scale_); }

void Points::to_outside(const double* scaled, double* out) const {
  for (std::size_t j = 0; j < dimension_; ++j) out[j] = scaled[j] * unit_ + shift_[j];
}

void Points::to_inside(const double* outside, double* scaled) const {
  for (std::size_t j = 0; j < dimension_; ++j) scaled[j] = (outside[j] - shift_[j]) / unit_;
}

CostSum::CostSum(double limit, std::int64_t terms) {
  const double bound = power_of_two_above(limit);
  fraction_ = std::ldexp(1.0, bits_for(terms) - 1);
  unit_ = bound / fraction_;
  inverse_unit_ = 1 / unit_;
}

void CostSum::add(double value) {
  const double units = value * inverse_unit_;
  const auto whole = static_cast<std::int64_t>(units);
  parts[0] += whole;
  parts[1] += static_cast<std::int64_t>((units - static_cast<double>(whole)) * fraction_);
}

double CostSum::value() const {
  return (static_cast<double>(parts[0]) + static_cast<double>(parts[1]) / fraction_) * unit_;
}

}  // namespace lockstep::learning

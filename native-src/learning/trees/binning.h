#pragma once

/// @file
/// Features as bins of one byte: at most 255 bins of values, and one more for what is missing.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "learning/group.h"

namespace lockstep::learning {

constexpr std::int32_t MAX_BINS = 255;

/// A set of bins or categories, of those that have one byte.
using ByteSet = std::array<std::uint64_t, 4>;
inline bool contains(const ByteSet& set, std::uint32_t value) {
  return (set[value / 64] >> (value % 64) & 1) != 0;
}
inline void insert(ByteSet& set, std::uint32_t value) { set[value / 64] |= std::uint64_t{1} << (value % 64); }

/// How one feature becomes bins.
struct FeatureBins {
  /// Numbers: value v, rounded to f32, lies in the first bin b with v ≤ edges[b], or in bin edges.size().
  std::vector<float> edges;
  /// Categories: the code of each bin, ascending; others count as missing.
  std::vector<std::int32_t> codes;
  bool is_categorical = false;

  std::int32_t values() const {
    return static_cast<std::int32_t>(is_categorical ? codes.size() : edges.size() + 1);
  }
  std::uint8_t missing() const { return static_cast<std::uint8_t>(values()); }
  std::uint8_t bin(double value) const;
};

/// The bin of each value, row by row.
std::vector<std::uint8_t> bins_of(std::span<const double> values, const std::vector<FeatureBins>& mappers);

/// Bins at exact quantiles of all ranks' rows: the order statistics are found by fixing one bit of their keys
/// after the other, by counting, so that they are integers' work and depend on no sketch. A feature with at
/// most `max_bins` different values gets a bin for each, with edges halfway. Collective.
/// @param values rows × features in f64, NaN where missing; a category is a whole number from 0 on
/// @param categorical by feature
std::vector<FeatureBins> bin_features(const Group& group, std::span<const double> values,
                                      std::size_t features, const std::vector<char>& categorical,
                                      std::int32_t max_bins);

}  // namespace lockstep::learning

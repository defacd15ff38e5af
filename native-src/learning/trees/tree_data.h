#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "learning/group.h"
#include "learning/trees/binning.h"

namespace lockstep::learning {

/// This rank's rows as bins, with what trees are to predict.
struct TreeData {
  /// Collective. @param values rows × features; @param target by row, finite; @param weights by row, ≥ 0, or
  /// empty
  /// @param validation share of rows that are held out, by a hash of their identity
  TreeData(const Group& group, std::span<const double> values, std::size_t features,
           std::span<const double> target, std::span<const double> weights,
           const std::vector<char>& categorical, std::int32_t max_bins, double validation,
           std::uint64_t seed);

  std::size_t rows() const { return ids.size(); }
  std::size_t features() const { return mappers.size(); }
  const std::uint8_t* row(std::size_t i) const { return bins.data() + i * features(); }
  double weight(std::size_t i) const { return weights.empty() ? 1 : weights[i]; }

  std::vector<FeatureBins> mappers;
  std::vector<std::uint8_t> bins;  ///< rows × features
  std::vector<double> targets;
  std::vector<double> weights;
  std::vector<std::uint64_t> ids;
  std::vector<char> held_out;
  std::int64_t all_rows = 0;     ///< over all ranks
  std::int64_t fitted_rows = 0;  ///< those that are not held out
};

}  // namespace lockstep::learning

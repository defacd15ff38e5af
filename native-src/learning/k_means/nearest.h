#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "learning/k_means/points.h"

namespace lockstep::learning {

/// Centres, ready for being searched. The nearest centre of a row is the one with the smallest squared
/// distance as DistanceKernels::squared_distance computes it in f64, the lowest index among equals: bounds
/// and f32 scores only leave out centres that this cannot choose, so that the result does not depend on them.
class NearestCentre {
 public:
  static constexpr std::int32_t NONE = -1;

  /// @param group_panels panels that share a lower bound: one for Yinyang's (Ding et al. 2015, with
  /// consecutive centres as its groups), all of them for Hamerly's (2010)
  NearestCentre(std::size_t dimension, std::size_t group_panels);

  /// @param centres count × dimension
  void set(std::span<const double> centres);
  std::size_t count() const { return count_; }
  /// Lower bounds for each row.
  std::size_t groups() const { return groups_; }

  /// For rows [begin, end). In: the label of each, with its exact distance to that centre, or NONE with a
  /// distance that a centre here must undercut. Out: the nearest.
  /// @param lower rows × groups(): on entry no centre of the group but the row's own is nearer than this
  /// (unsquared), on return as well; null for no bounds. All zeros are valid bounds.
  void search(const Points& points, std::size_t begin, std::size_t end, std::span<double> distances,
              std::span<std::int32_t> labels, float* lower);

  double squared_distance(const float* row, std::size_t centre) const;

  /// How many pairs of row and centre were scored since the start, for tests and reports.
  std::int64_t scored() const { return scored_; }

 private:
  struct Row;
  void search_block(const Points& points, std::size_t begin, std::size_t end, std::span<double> distances,
                    std::span<std::int32_t> labels, float* lower);
  void settle(const Points& points, std::size_t row, const float* scores, const char* evaluated,
              double& distance, std::int32_t& label, float* lower) const;

  const std::size_t dimension_;
  const std::size_t group_panels_;
  std::size_t count_ = 0, panels_ = 0, groups_ = 0;
  std::vector<double> centres_;
  std::vector<float> panel_values_, half_norms_;
  double largest_norm_ = 0;
  std::int64_t scored_ = 0;
  std::vector<float> scores_;
  std::vector<char> evaluated_;
  std::vector<const float*> listed_;
  std::vector<std::size_t> listed_rows_;
  std::vector<float> group_scores_;
};

}  // namespace lockstep::learning

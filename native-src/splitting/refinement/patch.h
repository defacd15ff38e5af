#pragma once

/// @file
/// A few sensors refined while the rest of the network stays where it is.

#include <cstdint>
#include <span>
#include <vector>

#include "splitting/network/range_graph.h"

namespace lockstep::splitting {

/// Workspace of one thread; a call costs what its patch costs, whatever the network's size.
template <int D>
class Patch {
 public:
  Patch(const RangeGraph& graph, const Loss& loss);

  /// The group, then those that it has ranges to, those that they have ranges to …; `most` in all.
  std::vector<std::int32_t> around(std::span<const std::int32_t> group, std::size_t most);

  struct Fit {
    double cost;                    ///< of all ranges that end at the patch's sensors
    std::vector<double> positions;  ///< of the patch's sensors
  };

  /// Descends to a local minimum over the positions of `sensors`, by damped Newton steps with safe curvature.
  /// @param start their positions; @param points where all others are, points × D
  Fit fit(std::span<const std::int32_t> sensors, std::vector<double> start, std::span<const double> points);

  /// The positions of `sensors` in `points`.
  static std::vector<double> positions_of(std::span<const std::int32_t> sensors,
                                          std::span<const double> points);

 private:
  double cost(const std::vector<double>& x) const;
  void linearise_at(const std::vector<double>& x);
  const double* place_of(std::int32_t point, const std::vector<double>& x) const;

  const RangeGraph& graph_;
  const Loss loss_;
  std::vector<std::int32_t> local_;  ///< a sensor's place in the patch, −1 elsewhere
  std::span<const std::int32_t> sensors_;
  std::span<const double> points_;
  std::vector<double> hessian_;  ///< lower triangle, column by column
  std::vector<double> gradient_;
};

}  // namespace lockstep::splitting

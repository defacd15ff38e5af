#pragma once

/// @file
/// Other places where sensors fit their ranges about as well.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "splitting/network/range_graph.h"
#include "splitting/refinement/patch.h"

namespace lockstep::splitting {

/// A patch of the network with some of its sensors in another place.
struct MirrorImage {
  double cost_difference;             ///< of the patch's ranges: there less here; infinite: there is none
  std::vector<std::int32_t> sensors;  ///< those that moved first
  std::vector<double> positions;      ///< of these sensors, refined
};

/// Looks for other local minima of the cost. Workspace of one thread; a call costs what a patch costs.
template <int D>
class MirrorImages {
 public:
  MirrorImages(const RangeGraph& graph, const Loss& loss, std::size_t most_sensors);

  /// The best other place of a sensor, alone or with its closest neighbour, which a short range ties to it.
  /// The sensors around it, up to `most_sensors` in all, are refined with it.
  /// @param points points × D: here
  MirrorImage find(std::int32_t sensor, std::span<const double> points);

 private:
  using Place = std::array<double, D>;

  MirrorImage best_of(std::span<const std::int32_t> group, std::span<const double> points);
  std::vector<std::vector<double>> minima(std::span<const std::int32_t> group, const RangeEnd& closest,
                                          std::span<const double> points);
  std::vector<Place> starts(std::span<const std::int32_t> group, const RangeEnd& closest,
                            std::span<const double> points) const;
  const RangeEnd* closest_outside(std::span<const std::int32_t> group) const;

  const RangeGraph& graph_;
  const Loss loss_;
  const std::size_t most_sensors_;
  Patch<D> patch_;
  std::vector<Place> directions_;  ///< unit vectors all around
};

}  // namespace lockstep::splitting

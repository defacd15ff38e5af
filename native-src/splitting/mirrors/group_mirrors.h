#pragma once

/// @file
/// Groups of sensors that may be mirrored as one body.

#include <cstdint>
#include <span>
#include <vector>

#include "splitting/network/range_graph.h"
#include "splitting/network/sensor_slices.h"

namespace lockstep::splitting {

/// A group on the other side of a line (in space: of a plane), and what gave way to it.
struct MirroredGroup {
  double cost_difference = 0;         ///< of the network's cost: there less here
  std::size_t group = 0;              ///< so many of `sensors`, the first, are mirrored
  std::vector<std::int32_t> sensors;  ///< the group, then the sensors around it
  std::vector<double> positions;      ///< of `sensors`, refined: sensors × d
};

/// Collective, with the same bits on any number of ranks. Mirrors the groups that little holds on their side
/// (see mirror_candidates.h), and refines them with the sensors around them.
/// @param points points × d
/// @param most_rise of the cost
/// @return cheapest first
std::vector<MirroredGroup> mirrored_groups(Communicator& ranks, const RangeGraph& graph,
                                           const SensorSlices& slices, const Loss& loss,
                                           std::span<const double> points, double most_rise);

}  // namespace lockstep::splitting

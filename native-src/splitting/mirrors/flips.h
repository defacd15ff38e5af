#pragma once

/// @file
/// Out of local minima: sensors that are on the wrong side of their neighbours change sides.

#include <span>
#include <vector>

#include "splitting/network/range_graph.h"
#include "splitting/network/sensor_slices.h"
#include "splitting/refinement/refinement.h"

namespace lockstep::splitting {

/// Collective. Moves sensors to their mirror images, with the network around them giving way, wherever that
/// lowers the cost; those that gain most first, and none next to another that moves.
/// @param candidates sensors: non-zero for those to look at; then for those that something near has changed
/// @return how many sensors changed sides
template <int D>
std::int32_t flip(const RangeGraph& graph, const SensorSlices& slices, const Loss& loss,
                  std::span<double> points, std::vector<char>& candidates);

}  // namespace lockstep::splitting

#pragma once

/// @file
/// Out of local minima: sensors that are on the wrong side of their neighbours change sides.

#include <span>

#include "splitting/range_graph.h"
#include "splitting/refinement.h"
#include "splitting/sensor_slices.h"

namespace lockstep::splitting {

/// Collective. Moves sensors to their mirror images, with the network around them giving way, wherever that
/// lowers the cost; those that gain most first, and none next to another that moves.
/// @return how many sensors changed sides
template <int D>
std::int32_t flip(const RangeGraph& graph, const SensorSlices& slices, const Loss& loss,
                  std::span<double> points);

}  // namespace lockstep::splitting

#pragma once

/// @file
/// The search in a network too large to be searched as a whole.

#include "splitting/network/range_graph.h"
#include "splitting/network/sensor_slices.h"
#include "splitting/portfolio/attempt.h"

namespace lockstep::splitting {

/// Collective, with the same bits on any number of ranks. Overlapping parts whose ranges do not fit are
/// fitted anew while the rest stays.
/// @param fold a local minimum
/// @return a fold whose cost is not higher
Fold search_parts(Communicator& group, const RangeGraph& graph, const SensorSlices& slices, const Loss& loss,
                  Fold fold);

}  // namespace lockstep::splitting

#pragma once

/// @file
/// The search for the fold of lowest cost among the many in which a descent can end.

#include <span>
#include <vector>

#include "splitting/network/range_graph.h"
#include "splitting/network/sensor_slices.h"
#include "splitting/portfolio/attempt.h"

namespace lockstep::splitting {

/// Collective, with the same bits on any number of ranks. Networks of up to some hundreds of sensors are
/// searched as a whole, larger ones in overlapping parts, there where the ranges do not fit.
/// @param fold a local minimum
/// @return the best fold, and then others that the ranges hardly make less likely (whole_search.h); of large
/// networks the best alone
std::vector<Fold> search(Communicator& group, const RangeGraph& graph, const SensorSlices& slices,
                         const Loss& loss, Fold fold);

}  // namespace lockstep::splitting

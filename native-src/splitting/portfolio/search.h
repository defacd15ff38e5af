#pragma once

/// @file
/// The search for the fold of lowest cost among the many in which a descent can end.

#include <span>
#include <vector>

#include "splitting/portfolio/attempt.h"
#include "splitting/range_graph.h"
#include "splitting/sensor_slices.h"

namespace lockstep::splitting {

/// Collective, with the same bits on any number of ranks: each round's attempts are shared out, and all ranks
/// judge the same results. Networks of up to some hundreds of sensors are searched as a whole, larger ones in
/// overlapping parts, there where the ranges do not fit.
/// @param fold a local minimum, and then the best found
/// @return all distinct folds that the search met within `most_rise` of the best one, the best first, judged
/// by their likelihood (reweighting.h); of large networks the best alone, with its sum of squares
std::vector<Fold> search(Communicator& group, const RangeGraph& graph, const SensorSlices& slices,
                         const Loss& loss, double most_rise, Fold fold);

}  // namespace lockstep::splitting

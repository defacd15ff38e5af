#pragma once

/// @file
/// The search in a network of up to some hundreds of sensors.

#include <span>
#include <vector>

#include "splitting/network/range_graph.h"
#include "splitting/network/sensor_slices.h"
#include "splitting/portfolio/attempt.h"

namespace lockstep::splitting {

/// Whether a search takes about as long as the splitting before it, and not much longer.
/// @param points points × d: any positions of the sensors
bool can_search_whole(const RangeGraph& graph, std::span<const double> points);

/// Collective, with the same bits on any number of ranks: each round's attempts are shared out, and all ranks
/// judge the same results. The ranges decide between folds; between those that they hardly tell apart, the
/// choice of measured pairs (measured_pairs.h).
/// @param fold a local minimum
/// @return distinct folds, the best first; of the others those that the ranges do not rule out (at 1 %).
/// Costs are those of reweighted()
std::vector<Fold> search_whole(Communicator& group, const RangeGraph& graph, const SensorSlices& slices,
                               const Loss& loss, Fold fold);

}  // namespace lockstep::splitting

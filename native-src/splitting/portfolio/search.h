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
/// @return all distinct folds within `most_rise` of the best one's cost, the best first; of large networks that
/// one alone
std::vector<Fold> search(Communicator& group, const RangeGraph& graph, const SensorSlices& slices, const Loss& loss,
                         double most_rise, Fold fold);

/// Whether the squares of standardised residuals are what as many ranges leave when their noise is the network's
/// own: χ² less its degrees of freedom, in standard deviations, below 3. Weights are those of the distances.
bool is_consistent(const RangeGraph& graph, const Loss& loss, std::span<const double> points);

}  // namespace lockstep::splitting

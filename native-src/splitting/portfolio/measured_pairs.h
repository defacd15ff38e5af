#pragma once

/// @file
/// What the choice of pairs that were measured says about positions.

#include <span>

#include "splitting/network/range_graph.h"

namespace lockstep::splitting {

/// The negative logarithm of the likelihood of which pairs were measured, given where the points are. Radios
/// reach so far: the nearer a pair, the likelier it was measured; where a wrong fold brings points next to
/// each other, pairs without a range lie among pairs with one. How likely a pair of some distance is measured
/// is not known beforehand: it is the function, falling with the distance, that fits the pairs at hand best
/// (isotonic regression by pooling adjacent violators; Ayer et al., Ann. Math. Stat. 26, 1955). Pairs that
/// were measured whatever their distance therefore favour no fold. Serial; quadratic in the sensors.
/// @param points points × graph.dimension()
double surprise_of_pairs(const RangeGraph& graph, std::span<const double> points);

}  // namespace lockstep::splitting

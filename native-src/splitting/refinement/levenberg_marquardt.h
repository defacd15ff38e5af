#pragma once

/// @file
/// Levenberg–Marquardt over all sensors at once.

#include <span>

#include "splitting/network/range_graph.h"
#include "splitting/network/sensor_slices.h"
#include "splitting/refinement/refinement.h"

namespace lockstep::splitting {

/// Collective. ½ Σ of squared standardised residuals at `points`, or Huber's loss of them.
template <int D>
double total_cost(const RangeGraph& graph, const SensorSlices& slices, const Loss& loss,
                  std::span<const double> points);

struct Ending {
  int max_steps;
  double tolerance;  ///< relative decrease of the cost in a step
};

/// Collective. Descends from `points` to a local minimum of the cost; anchors stay. The Hessian counts the
/// second derivatives of the distances, as Levenberg–Marquardt does not: with 5 to 10 % noise Gauss–Newton's
/// steps overshoot across weak directions, and it takes 100 iterations for what takes 10 so.
template <int D>
Refinement descend(const RangeGraph& graph, const SensorSlices& slices, const Loss& loss,
                   const Ending& ending, std::span<double> points);

}  // namespace lockstep::splitting

#pragma once

/// @file
/// What covariances of first order leave out.

#include <span>

#include "splitting/network/range_graph.h"
#include "splitting/network/sensor_slices.h"

namespace lockstep::splitting {

/// Collective, with the same bits on any number of ranks. Adds to covariances what the curvature of the
/// distances does. A group that is weakly held turns along an arc, and (JᵀWJ)⁻¹ knows the tangent alone: of
/// sensors of irregular networks with 10 to 20 % noise that puts one in seven outside its 95 % ellipse. Added
/// are second moments about the estimate of what a fit and its linearisation differ by,
/// - √3 standard deviations to both sides along each of the softest eigenvectors of JᵀWJ, all else fitted
/// (the
///   profile of the likelihood, with the weights of Gauss's and Hermite's quadrature with three nodes);
/// - for ranges simulated at the estimate (the parametric bootstrap; Efron and Tibshirani 1993, chapter 6)
/// whose
///   motion along these eigenvectors is taken away,
///   each set of errors with both signs.
/// Networks whose factorisations take too long keep their first order, or go without the second part.
/// @param graph weighed by the estimate's distances
/// @param points points × d, of which the sensors' are the estimate
/// @param covariances sensors × d × d; NaN stays
void add_curvature(Communicator& ranks, const RangeGraph& graph, const SensorSlices& slices, const Loss& loss,
                   std::span<const double> points, std::span<double> covariances);

}  // namespace lockstep::splitting

#pragma once

/// @file
/// Standard deviations that follow from the distances of the estimate, in place of the measured ranges.

#include <span>
#include <vector>

#include "splitting/network/range_graph.h"
#include "splitting/portfolio/attempt.h"

namespace lockstep::splitting {

/// Iteratively reweighted least squares: each descent's distances are the next one's standard deviations.
/// Serial.
/// @return where that ends, with the negative logarithm of its likelihood as cost: ½ z² + log of the standard
/// deviation, summed over the ranges (Huber's loss in place of ½ z² where asked). Costs of folds compare so,
/// as sums of squares with weights of their own do not.
Fold reweighted(const RangeGraph& graph, const Loss& loss, const std::vector<double>& positions);

/// The squares of the standardised residuals, weights from the distances, and how many are free to vary.
struct ChiSquare {
  double value = 0;
  double freedom = 0;

  /// What is above its mean, in standard deviations of it.
  double excess() const;
};

ChiSquare chi_square(const RangeGraph& graph, const Loss& loss, std::span<const double> points);

/// Whether the ranges fit as well as ranges with their noise do: χ² is within three standard deviations.
bool is_consistent(const RangeGraph& graph, const Loss& loss, std::span<const double> points);

}  // namespace lockstep::splitting

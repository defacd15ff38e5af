#pragma once

/// @file
/// From the relaxation to the maximum-likelihood estimate: Levenberg–Marquardt on the weighted ranges, over
/// all edges.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "collective/communicator.h"
#include "splitting/network.h"

namespace lockstep::splitting {

struct RefinementOptions {
  double noise_factor = 0.05;  ///< σ: the standard deviation of a range is σ times the range
  double huber = 0;            ///< threshold in standard deviations; 0: least squares
  int max_iterations = 100;
  double tolerance = 1e-6;  ///< relative decrease of the cost in a step at which it ends
};

struct Refinement {
  double cost = 0;  ///< ½ Σ of squared weighted residuals (Huber's loss where asked)
  int iterations = 0;
  bool converged = false;
};

/// Collective. @param positions sensors × d, the start and then the estimate; the same bits on any number of
/// ranks
Refinement refine(Communicator& group, const Network& network, const RefinementOptions& options,
                  std::span<double> positions);

/// Collective: Σ = (JᵀWJ)⁻¹'s d × d diagonal blocks at `positions`, on every rank.
/// @param out sensors × d × d; NaN for sensors that the ranges do not determine
void covariances(Communicator& group, const Network& network, const RefinementOptions& options,
                 std::span<const double> positions, std::span<double> out);

struct Ambiguity {
  std::int32_t sensor;
  std::vector<double> alternative;  ///< d coordinates of the mirror image, refined
  double cost_difference;  ///< of the whole network's cost, alternative less estimate; may be negative
};

/// Collective: sensors that have a mirror image which fits as well.
std::vector<Ambiguity> find_ambiguous(Communicator& group, const Network& network,
                                      const RefinementOptions& options, std::span<const double> positions);

}  // namespace lockstep::splitting

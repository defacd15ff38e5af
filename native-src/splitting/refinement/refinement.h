#pragma once

/// @file
/// From the relaxation to the maximum-likelihood estimate: Levenberg–Marquardt on the weighted ranges, over
/// all edges. The standard deviation of a range is the noise factor times the distance between the estimated
/// positions (at least half the range and a thousandth of the network's mean range): taken from the range,
/// which is off itself, it biases both the estimate and the covariances. A cost is the negative logarithm of
/// a likelihood. Positions and options are finite, the network is checked, and all ranks pass the same.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "collective/communicator/communicator.h"
#include "splitting/network/network.h"

namespace lockstep::splitting {

struct RefinementOptions {
  double noise_factor = 0.05;  ///< σ: the part of a range's standard deviation that grows with it, over it
  double huber = 0;            ///< threshold in standard deviations; 0: least squares
  int max_iterations = 200;
  double tolerance = 1e-6;  ///< relative decrease of the cost in a step at which it ends
  bool searches = true;     ///< for a fold of lower cost than the one that the start is in
};

/// A local minimum of the cost.
struct Fold {
  double cost = 0;                ///< by the ranges
  double surprise = 0;            ///< by the choice of measured pairs, where that counts
  std::vector<double> positions;  ///< sensors × d

  double total() const { return cost + surprise; }
};

struct Refinement {
  double cost = 0;  ///< ½ Σ of squared weighted residuals (Huber's loss where asked)
  int iterations = 0;
  bool converged = false;
  std::vector<Fold> others;  ///< folds that the search found to be about as likely; costs less the estimate's
};

/// Collective: descends to a local minimum of the cost, and to a lower one as long as a sensor, alone or with
/// its closest neighbour, has a mirror image whose cost is lower by 1 or more; then looks for a fold of lower
/// cost (portfolio/search.h). Where a tie is closer than 1 the start decides; find_ambiguous() tells of it.
/// The descent is linear in the number of ranges; the search is cut off by an estimate of its operations,
/// never by time.
/// @param positions sensors × d, the start and then the estimate; the same bits on any number of ranks
Refinement refine(Communicator& group, const Network& network, const RefinementOptions& options,
                  std::span<double> positions);

/// Collective: (JᵀWJ)⁻¹'s d × d diagonal blocks at `positions`, on every rank: the Cramér–Rao bound there.
/// Exact, by rank 0 alone: about n^1.5 operations for sensors in a plane.
/// @param out sensors × d × d; NaN for sensors that the ranges do not determine
void first_order_covariances(Communicator& group, const Network& network, const RefinementOptions& options,
                             std::span<const double> positions, std::span<double> out);

/// Collective: those, and in networks of up to some thousand sensors what the curvature of the distances adds
/// (portfolio/curvature.h). @param positions an estimate that refine() ended in
void covariances(Communicator& group, const Network& network, const RefinementOptions& options,
                 std::span<const double> positions, std::span<double> out);

struct Ambiguity {
  std::int32_t sensor;
  std::vector<double> alternative;  ///< d coordinates of the mirror image, refined
  double cost_difference;           ///< of the network's cost, alternative less estimate; may be negative
};

/// Collective: sensors that have another place which fits as well, in ascending order. That is a local
/// minimum of the sensor's cost, alone or with its closest neighbour, with the 40 sensors around it refined;
/// or, in networks of up to 3,000 sensors, its place in a group that is mirrored as one body
/// (portfolio/group_mirrors.h); or its place in another fold that the search has found. It fits as well if
/// twice the rise of the cost is below χ²'s 99 % quantile with d degrees of freedom (4.6 in the cost in 2-D).
/// @param others of the refinement that ended in `positions`, costs less its own
std::vector<Ambiguity> find_ambiguous(Communicator& group, const Network& network,
                                      const RefinementOptions& options, std::span<const double> positions,
                                      std::span<const Fold> others = {});

}  // namespace lockstep::splitting

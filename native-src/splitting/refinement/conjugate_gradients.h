#pragma once

/// @file
/// Conjugate gradients, preconditioned by block Jacobi.

#include <span>

#include "splitting/network/sensor_slices.h"
#include "splitting/refinement/normal_matrix.h"

namespace lockstep::splitting {

struct Solution {
  int iterations = 0;
  double decrease = 0;         ///< of the quadratic model ½ xᵀAx + gᵀx, from x = 0
  bool is_indefinite = false;  ///< met a direction in which A is not positive, and stopped there
};

/// Collective: solves A x = −g for the damped normal matrix A, to `tolerance` of the preconditioned
/// residual's norm (Hestenes and Stiefel 1952; the usual form, e.g. Saad, Iterative Methods, algorithm 9.1).
/// @param gradient g, the own part
/// @param step x of all sensors, written
template <int D>
Solution solve(const NormalMatrix<D>& matrix, const SensorSlices& slices, std::span<const double> gradient,
               double tolerance, int max_iterations, std::span<double> step);

}  // namespace lockstep::splitting

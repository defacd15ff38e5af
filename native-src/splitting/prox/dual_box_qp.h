#pragma once

/// @file
/// min ½ wᵀQw − bᵀw over |w| ≤ α, the dual of a sensor's proximal step.

namespace lockstep::splitting {

/// Q = BD⁻¹Bᵀ = 11ᵀ + blkdiag(3 I over neighbours, 2 AAᵀ over anchors), where A's rows are the anchors.
struct DualBoxQp {
  int dimension;            ///< d: 2 or 3
  int neighbors;            ///< rows 0 … neighbors − 1
  int anchors;              ///< the rows after them
  const double* positions;  ///< A, anchors × d
  const double* b;          ///< neighbors + anchors
  double alpha;             ///< > 0
};

/// An active-set method that starts from w and does not mind a singular Q: the gradient of w, where it may
/// not move towards its bound, is zero to rounding. What it finds depends on the arguments alone.
/// @param w of length neighbors + anchors, any numbers: the start and the solution
void solve_dual(const DualBoxQp& problem, double* w);

/// What solves it: tests put the reference implementation's method here.
using DualSolver = void (*)(const DualBoxQp& problem, double* w);

}  // namespace lockstep::splitting

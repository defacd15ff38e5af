#pragma once

/// @file
/// The motions of a network that its ranges hold least.

#include <span>
#include <vector>

#include "splitting/factorisation/block_cholesky.h"
#include "splitting/network/range_graph.h"

namespace lockstep::splitting {

/// An eigenvector of JᵀWJ.
struct SoftMode {
  double deviation;               ///< standard deviation of the motion along `direction`: λ^−½
  std::vector<double> direction;  ///< sensors × d, of length 1
};

/// Factorises JᵀWJ, which stays in `cholesky`. Serial. @param points points × d
void factor_normal_matrix(const RangeGraph& graph, const Loss& loss, std::span<const double> points,
                          BlockCholesky& cholesky);

/// About the softest modes by subspace iteration (Golub and Van Loan, Matrix Computations, 8.2), softest
/// first. Serial.
/// @param cholesky of JᵀWJ
std::vector<SoftMode> soft_modes(const RangeGraph& graph, const BlockCholesky& cholesky, std::size_t count);

}  // namespace lockstep::splitting

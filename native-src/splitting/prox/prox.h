#pragma once

/// @file
/// The proximal step of one sensor's data term, α g_i (Barkley & Bassett, arXiv 2503.13403).

#include <cstdint>
#include <span>
#include <vector>

#include "splitting/network/network.h"
#include "splitting/prox/dual_box_qp.h"

namespace lockstep::splitting {

/// The data term of sensor i, g_i = Σ_j |D_ij − Y_ii − Y_jj + 2 Y_ij| + Σ_k |D_ik − ‖a_k‖² − Y_ii + 2
/// a_k·X_i|, on the variables that it moves: ξ = (Y_ii; Y_ij for each neighbour; Y_jj for each neighbour;
/// X_i's d coordinates).
class DataTerm {
 public:
  /// @param network checked
  DataTerm(const Network& network, std::int32_t sensor);

  int dimension() const { return dimension_; }
  int neighbors() const { return neighbors_; }
  int anchors() const { return anchors_; }
  /// Length of ξ: 1 + 2 neighbours + d.
  int variables() const { return 1 + 2 * neighbors_ + dimension_; }
  /// Number of absolute values: neighbours, then anchors.
  int rows() const { return neighbors_ + anchors_; }
  /// a_k, anchors × d.
  std::span<const double> anchor_positions() const { return positions_; }

  double value(std::span<const double> xi) const;

  /// ξ ← prox of α g_i at ξ, in the norm that counts off-diagonals twice; exact, by the dual box QP.
  /// @param dual w of length rows(): where the search starts (zero at first), and the solution for the next
  /// call
  void prox_exactly(std::span<double> xi, double alpha, std::span<double> dual,
                    DualSolver solver = solve_dual) const;

  /// @param b of length rows(), written: rhs − Bξ, what stands between the bars
  void residuals(std::span<const double> xi, std::span<double> b) const;

  /// ξ += D⁻¹Bᵀw, the step that belongs to the dual w of length rows().
  void add_step(std::span<const double> dual, std::span<double> xi) const;

 private:
  int dimension_;
  int neighbors_;
  int anchors_;
  std::vector<double> squares_;    ///< D_ij, then D_ik − ‖a_k‖²
  std::vector<double> positions_;  ///< a_k, anchors × d
};

}  // namespace lockstep::splitting

#pragma once

/// @file
/// The proximal step as the paper's authors compute it: an inner ADMM that ends early at first, and more
/// exactly with every call (Barkley & Bassett, arXiv 2503.13403). For comparison; the exact one is faster.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "splitting/prox/prox.h"

namespace lockstep::splitting {

/// Of one sensor: it keeps y and w from call to call. One thread at a time.
class InexactProx {
 public:
  /// @param term kept by reference
  explicit InexactProx(const DataTerm& term);

  /// Forgets earlier calls.
  void restart();

  /// ξ ← about the prox of α g_i at ξ. Call k runs at most 100 rounds, until ‖b − y − Bδ‖₂ < max(k^−1.01,
  /// 1e−7).
  void step(std::span<double> xi, double alpha);

 private:
  static constexpr std::size_t MOST_SHARED = 4;

  void factorize();
  void solve(std::span<const double> right_hand_side);

  const DataTerm* term_;
  std::int64_t calls_ = 0;
  std::vector<double> y_;
  std::vector<double> w_;
  std::vector<double> b_;
  std::vector<double> v_;  ///< (I + Q)⁻¹ (w + b − y); δ = D⁻¹Bᵀv and Bδ = Qv
  std::vector<double> right_hand_side_;
  /// LU of what I + Q is for (Σv, Aᵀv).
  std::array<std::array<double, MOST_SHARED>, MOST_SHARED> factors_{};
};

}  // namespace lockstep::splitting

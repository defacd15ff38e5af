#include "splitting/prox/inexact_prox.h"

#include <algorithm>
#include <cmath>

namespace lockstep::splitting {
namespace {

constexpr int MOST_ROUNDS = 100;
constexpr double DECAY = -1.01;
constexpr double LEAST_TOLERANCE = 1e-7;

double soft(double value, double threshold) {
  return value > threshold ? value - threshold : value < -threshold ? value + threshold : 0;
}

}  // namespace

InexactProx::InexactProx(const DataTerm& term) : term_(&term) {
  const auto rows = static_cast<std::size_t>(term.rows());
  for (auto* values : {&y_, &w_, &b_, &v_, &right_hand_side_}) values->assign(rows, 0.0);
  factorize();
}

void InexactProx::restart() {
  calls_ = 0;
  std::fill(y_.begin(), y_.end(), 0.0);
  std::fill(w_.begin(), w_.end(), 0.0);
}

/// (D + BᵀB)⁻¹Bᵀr = D⁻¹Bᵀv with (I + Q)v = r, and Q = 11ᵀ + blkdiag(3I, 2AAᵀ): with s = Σv and p = Aᵀv a
/// neighbour has v_j = (r_j − s)/4 and an anchor v_k = r_k − s − 2a_k·p, so that (s, p) solves
/// (1 + neighbours/4 + anchors) s + 2 (Σa)·p = Σr_j/4 + Σr_k,  (Σa) s + (I + 2AᵀA) p = Aᵀr. With the last d
/// rows doubled that is diag(1 + neighbours/4, 2I) + Σ(1, 2a_k)(1, 2a_k)ᵀ, positive definite: no pivots
/// needed.
void InexactProx::factorize() {
  const int d = term_->dimension();
  const auto positions = term_->anchor_positions();
  factors_ = {};
  factors_[0][0] = 1 + term_->neighbors() / 4.0 + term_->anchors();
  for (int c = 0; c < d; ++c) factors_[c + 1][c + 1] = 1;
  for (int k = 0; k < term_->anchors(); ++k) {
    const double* a = positions.data() + k * d;
    for (int c = 0; c < d; ++c) {
      factors_[0][c + 1] += 2 * a[c];
      factors_[c + 1][0] += a[c];
      for (int e = 0; e < d; ++e) factors_[c + 1][e + 1] += 2 * a[c] * a[e];
    }
  }
  for (int pivot = 0; pivot <= d; ++pivot) {
    for (int row = pivot + 1; row <= d; ++row) {
      factors_[row][pivot] /= factors_[pivot][pivot];
      for (int c = pivot + 1; c <= d; ++c) factors_[row][c] -= factors_[row][pivot] * factors_[pivot][c];
    }
  }
}

void InexactProx::solve(std::span<const double> r) {
  const int d = term_->dimension();
  const int neighbors = term_->neighbors();
  const auto positions = term_->anchor_positions();
  std::array<double, MOST_SHARED> x{};
  for (int j = 0; j < neighbors; ++j) x[0] += r[j] / 4;
  for (int k = 0; k < term_->anchors(); ++k) {
    x[0] += r[neighbors + k];
    for (int c = 0; c < d; ++c) x[c + 1] += positions[k * d + c] * r[neighbors + k];
  }
  for (int row = 1; row <= d; ++row) {
    for (int c = 0; c < row; ++c) x[row] -= factors_[row][c] * x[c];
  }
  for (int row = d; row >= 0; --row) {
    for (int c = row + 1; c <= d; ++c) x[row] -= factors_[row][c] * x[c];
    x[row] /= factors_[row][row];
  }
  for (int j = 0; j < neighbors; ++j) v_[j] = (r[j] - x[0]) / 4;
  for (int k = 0; k < term_->anchors(); ++k) {
    double product = 0;
    for (int c = 0; c < d; ++c) product += positions[k * d + c] * x[c + 1];
    v_[neighbors + k] = r[neighbors + k] - x[0] - 2 * product;
  }
}

void InexactProx::step(std::span<double> xi, double alpha) {
  const double tolerance = std::max(std::pow(static_cast<double>(++calls_), DECAY), LEAST_TOLERANCE);
  term_->residuals(xi, b_);
  const std::size_t rows = b_.size();
  for (int round = 0; round < MOST_ROUNDS; ++round) {
    for (std::size_t i = 0; i < rows; ++i) right_hand_side_[i] = w_[i] + b_[i] - y_[i];
    solve(right_hand_side_);
    double squares = 0;
    for (std::size_t i = 0; i < rows; ++i) {
      const double unexplained = b_[i] - (right_hand_side_[i] - v_[i]);  // b − Bδ, as Bδ = Qv = r − v
      y_[i] = soft(unexplained + w_[i], alpha);
      const double gap = unexplained - y_[i];
      w_[i] += gap;
      squares += gap * gap;
    }
    if (std::sqrt(squares) < tolerance) break;
  }
  term_->add_step(v_, xi);
}

}  // namespace lockstep::splitting

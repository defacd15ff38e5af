#pragma once

/// @file
/// Eigenvectors of matrices of a few rows.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "splitting/factorisation/dense_cholesky.h"

namespace lockstep::splitting {

struct Eigen {
  std::vector<double> values;  ///< descending
  Dense vectors;               ///< column by column, orthonormal, in the order of the values
};

/// Cyclic Jacobi (Golub and Van Loan, Matrix Computations, 8.5) for a symmetric matrix.
inline Eigen symmetric_eigen(Dense a) {
  const std::size_t n = a.rows;
  Dense v(n, n);
  for (std::size_t k = 0; k < n; ++k) v(k, k) = 1;
  constexpr int SWEEPS = 30;
  for (int sweep = 0; sweep < SWEEPS; ++sweep) {
    double off = 0;
    double all = 0;
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        all += a(i, j) * a(i, j);
        if (i != j) off += a(i, j) * a(i, j);
      }
    }
    if (!(off > 1e-28 * all)) break;
    for (std::size_t p = 0; p < n; ++p) {
      for (std::size_t q = p + 1; q < n; ++q) {
        if (a(p, q) == 0) continue;
        const double theta = (a(q, q) - a(p, p)) / (2 * a(p, q));
        const double t = (theta >= 0 ? 1 : -1) / (std::abs(theta) + std::sqrt(theta * theta + 1));
        const double c = 1 / std::sqrt(t * t + 1);
        const double s = t * c;
        for (std::size_t k = 0; k < n; ++k) {
          const double x = a(k, p), y = a(k, q);
          a(k, p) = c * x - s * y;
          a(k, q) = s * x + c * y;
        }
        for (std::size_t k = 0; k < n; ++k) {
          const double x = a(p, k), y = a(q, k);
          a(p, k) = c * x - s * y;
          a(q, k) = s * x + c * y;
        }
        for (std::size_t k = 0; k < n; ++k) {
          const double x = v(k, p), y = v(k, q);
          v(k, p) = c * x - s * y;
          v(k, q) = s * x + c * y;
        }
      }
    }
  }
  std::vector<std::size_t> order(n);
  for (std::size_t k = 0; k < n; ++k) order[k] = k;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t x, std::size_t y) { return a(x, x) > a(y, y); });
  Eigen result{{}, Dense(n, n)};
  for (std::size_t k = 0; k < n; ++k) {
    result.values.push_back(a(order[k], order[k]));
    for (std::size_t i = 0; i < n; ++i) result.vectors(i, k) = v(i, order[k]);
  }
  return result;
}

}  // namespace lockstep::splitting

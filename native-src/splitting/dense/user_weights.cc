#include <algorithm>
#include <cmath>
#include <string>

#include "lockstep/error.h"
#include "splitting/dense/weights.h"

namespace lockstep::splitting {
namespace {

/// What a file with nine digits loses; results are as symmetric as the weights are.
constexpr double CLOSE_ENOUGH = 1e-8;
/// Sinkhorn–Knopp as published ends with the sums of P/2 within 1e−6 of 1.
constexpr double ROW_SUM_TOLERANCE = 2e-6;
/// Eigenvalues nearer to ±2 than this make mixing as good as disconnected.
constexpr double LEAST_GAP = 1e-9;

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::INVALID_ARGUMENT, "The weights given for mixing cannot be used: " + message);
}

std::string entry(std::size_t i, std::size_t j) {
  return "P[" + std::to_string(i) + ", " + std::to_string(j) + "]";
}

void check_entries(const MixingMatrix& pattern, std::span<const double> p) {
  const auto n = static_cast<std::size_t>(pattern.size());
  if (p.size() != n * n) {
    refuse("there are " + std::to_string(p.size()) + " numbers, and " + std::to_string(n) + " sensors need " +
           std::to_string(n * n) + ".");
  }
  for (std::size_t i = 0; i < n; ++i) {
    const auto begin = pattern.columns.begin() + static_cast<std::ptrdiff_t>(pattern.offsets[i]);
    const auto end = pattern.columns.begin() + static_cast<std::ptrdiff_t>(pattern.offsets[i + 1]);
    double sum = 0;
    for (std::size_t j = 0; j < n; ++j) {
      const double value = p[i * n + j];
      if (!std::isfinite(value)) refuse(entry(i, j) + " is " + std::to_string(value) + ".");
      if (std::abs(value - p[j * n + i]) > CLOSE_ENOUGH) {
        refuse("P is not symmetric: " + entry(i, j) + " is " + std::to_string(value) + " and " + entry(j, i) +
               " is " + std::to_string(p[j * n + i]) + ".");
      }
      if (value != 0 && !std::binary_search(begin, end, static_cast<std::int32_t>(j))) {
        refuse(entry(i, j) + " is " + std::to_string(value) + ", but sensors " + std::to_string(i) + " and " +
               std::to_string(j) + " are not neighbours; it must be 0.");
      }
      sum += value;
    }
    if (std::abs(sum - 2) > ROW_SUM_TOLERANCE) {
      refuse("the row of sensor " + std::to_string(i) + " sums to " + std::to_string(sum) + ", not to 2.");
    }
  }
}

/// By Cholesky's factorisation, in place.
bool is_positive_definite(std::vector<double>& matrix, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double value = matrix[i * n + j];
      for (std::size_t k = 0; k < j; ++k) value -= matrix[i * n + k] * matrix[j * n + k];
      if (i == j && !(value > LEAST_GAP)) return false;
      matrix[i * n + j] = i == j ? std::sqrt(value) : value / matrix[j * n + j];
    }
  }
  return true;
}

/// Z = [[2I, −P], [−P, 2I]] is positive semidefinite with null space span(1) where all eigenvalues of P but
/// that of the row sums are inside (−2, 2).
void check_spectrum(std::size_t n, std::span<const double> p) {
  std::vector<double> matrix(p.begin(), p.end());
  for (std::size_t i = 0; i < n; ++i) matrix[i * n + i] += 2;
  if (!is_positive_definite(matrix, n)) {
    refuse(
        "P has an eigenvalue of −2 or less, so that [[2I, −P], [−P, 2I]] is not positive semidefinite with "
        "the ones as its only null vector. Put more weight on the diagonal.");
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      matrix[i * n + j] = (i == j ? 2.0 : 0.0) - p[i * n + j] + 2.0 / static_cast<double>(n);
    }
  }
  if (!is_positive_definite(matrix, n)) {
    refuse(
        "P has an eigenvalue of 2 or more besides that of its row sums: its non-zero entries leave the "
        "sensors in parts, or [[2I, −P], [−P, 2I]] is not positive semidefinite.");
  }
}

}  // namespace

MixingMatrix user_weights(MixingMatrix pattern, std::span<const double> weights) {
  check_entries(pattern, weights);
  const auto n = static_cast<std::size_t>(pattern.size());
  check_spectrum(n, weights);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = pattern.offsets[i]; k < pattern.offsets[i + 1]; ++k) {
      pattern.values[k] = weights[i * n + static_cast<std::size_t>(pattern.columns[k])];
    }
  }
  return pattern;
}

}  // namespace lockstep::splitting

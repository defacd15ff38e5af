#pragma once

/// @file
/// What a multifrontal factorisation needs of dense matrices.

#include <cstddef>
#include <span>
#include <vector>

namespace lockstep::splitting {

/// Column by column.
struct Dense {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::vector<double> values;

  Dense() = default;
  Dense(std::size_t rows, std::size_t columns) : rows(rows), columns(columns), values(rows * columns) {}
  double& operator()(std::size_t i, std::size_t j) { return values[j * rows + i]; }
  double operator()(std::size_t i, std::size_t j) const { return values[j * rows + i]; }
};

/// C ← C − A · B
void subtract_product(Dense& c, const Dense& a, const Dense& b);

/// C ← C − Aᵀ · B
void subtract_transposed_product(Dense& c, const Dense& a, const Dense& b);

/// Of a square matrix whose lower triangle counts: its first `own` columns become those of the Cholesky
/// factor (lower triangle), and the rest its Schur complement. A pivot below `least_pivots` (one for each own
/// column) is raised to it. @return whether none was: the matrix is positive definite as far as it got
bool factor(Dense& matrix, std::size_t own, std::span<const double> least_pivots);

/// x ← (L Lᵀ)⁻¹ x, where L is the lower triangle of `factor`.
void substitute(const Dense& factor, std::span<double> x);

/// L⁻¹ of the lower triangle of the first `own` rows and columns; zeros above the diagonal.
Dense invert_triangle(const Dense& factor, std::size_t own);

}  // namespace lockstep::splitting

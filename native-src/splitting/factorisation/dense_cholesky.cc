#include "splitting/factorisation/dense_cholesky.h"

#include <algorithm>
#include <cmath>

#include "splitting/factorisation/dense_kernels.h"

namespace lockstep::splitting {
namespace {

constexpr std::size_t PANEL = 32;   // Columns that are eliminated before the rest of the matrix sees them.
constexpr std::size_t SLIVER = 8;   // … and before the rest of the panel does: these one by one.
constexpr std::size_t STRIPE = 32;  // Columns of the rest that one call updates, from their diagonal down.

const DenseKernels& kernels() { return variant_in_use(variants_of_dense_kernels); }

/// @return whether no pivot was raised
bool eliminate_one_by_one(Dense& matrix, std::size_t first, std::size_t last,
                          std::span<const double> least_pivots) {
  bool is_definite = true;
  for (std::size_t j = first; j < last; ++j) {
    double* column = &matrix(0, j);
    is_definite = is_definite && column[j] >= least_pivots[j];
    const double pivot = std::sqrt(std::max(column[j], least_pivots[j]));
    column[j] = pivot;
    for (std::size_t i = j + 1; i < matrix.rows; ++i) column[i] /= pivot;
    for (std::size_t later = j + 1; later < last; ++later) {
      const double multiple = column[later];
      double* target = &matrix(0, later);
      for (std::size_t i = later; i < matrix.rows; ++i) target[i] -= column[i] * multiple;
    }
  }
  return is_definite;
}

/// Takes what the eliminated columns from `first` to `last` explain from those before `end`.
void update(Dense& matrix, std::size_t first, std::size_t last, std::size_t end) {
  for (std::size_t j = last; j < end; j += STRIPE) {
    kernels().subtract_product(&matrix(j, j), matrix.rows, &matrix(j, first), matrix.rows, &matrix(j, first),
                               matrix.rows, 1, matrix.rows - j, std::min(STRIPE, end - j), last - first);
  }
}

/// Inverts the triangle from `begin` to `end` in place: [A 0; B C]⁻¹ = [A⁻¹ 0; −C⁻¹ B A⁻¹ C⁻¹].
void invert_in_place(Dense& triangle, std::size_t begin, std::size_t end) {
  const std::size_t size = end - begin;
  if (size <= PANEL) {
    for (std::size_t j = begin; j < end; ++j) {
      triangle(j, j) = 1 / triangle(j, j);
      for (std::size_t i = j + 1; i < end; ++i) {
        double sum = 0;
        for (std::size_t k = j; k < i; ++k) sum -= triangle(i, k) * triangle(k, j);
        triangle(i, j) = sum / triangle(i, i);
      }
    }
    return;
  }
  const std::size_t middle = begin + size / 2;
  const std::size_t above = middle - begin;
  const std::size_t below = end - middle;
  invert_in_place(triangle, begin, middle);
  invert_in_place(triangle, middle, end);
  Dense product(below, above);  // −B A⁻¹
  kernels().subtract_product(product.values.data(), below, &triangle(middle, begin), triangle.rows,
                             &triangle(begin, begin), 1, triangle.rows, below, above, above);
  for (std::size_t j = 0; j < above; ++j) std::fill_n(&triangle(middle, begin + j), below, 0.0);
  for (double& value : product.values) value = -value;
  kernels().subtract_product(&triangle(middle, begin), triangle.rows, &triangle(middle, middle),
                             triangle.rows, product.values.data(), 1, below, below, above, below);
}

}  // namespace

void subtract_product(Dense& c, const Dense& a, const Dense& b) {
  kernels().subtract_product(c.values.data(), c.rows, a.values.data(), a.rows, b.values.data(), 1, b.rows,
                             c.rows, c.columns, a.columns);
}

void subtract_transposed_product(Dense& c, const Dense& a, const Dense& b) {
  Dense transposed(a.columns, a.rows);
  for (std::size_t j = 0; j < a.columns; ++j) {
    for (std::size_t i = 0; i < a.rows; ++i) transposed(j, i) = a(i, j);
  }
  subtract_product(c, transposed, b);
}

bool factor(Dense& matrix, std::size_t own, std::span<const double> least_pivots) {
  bool is_definite = true;
  for (std::size_t first = 0; first < own; first += PANEL) {
    const std::size_t last = std::min(first + PANEL, own);
    for (std::size_t sliver = first; sliver < last; sliver += SLIVER) {
      const std::size_t next = std::min(sliver + SLIVER, last);
      is_definite = eliminate_one_by_one(matrix, sliver, next, least_pivots) && is_definite;
      update(matrix, sliver, next, last);
    }
    update(matrix, first, last, matrix.columns);
  }
  return is_definite;
}

void substitute(const Dense& factor, std::span<double> x) {
  for (std::size_t j = 0; j < factor.columns; ++j) {
    x[j] /= factor(j, j);
    for (std::size_t i = j + 1; i < factor.rows; ++i) x[i] -= factor(i, j) * x[j];
  }
  for (std::size_t j = factor.columns; j-- > 0;) {
    for (std::size_t i = j + 1; i < factor.rows; ++i) x[j] -= factor(i, j) * x[i];
    x[j] /= factor(j, j);
  }
}

Dense invert_triangle(const Dense& factor, std::size_t own) {
  Dense inverse(own, own);
  for (std::size_t j = 0; j < own; ++j)
    std::copy(&factor.values[j * factor.rows + j], &factor.values[j * factor.rows + own], &inverse(j, j));
  invert_in_place(inverse, 0, own);
  return inverse;
}

}  // namespace lockstep::splitting

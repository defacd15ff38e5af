#include <cmath>
#include <limits>
#include <vector>

#include "compression/low_rank_kernels.h"
#include "gradient/arguments.h"
#include "jni/boundary.h"
#include "lockstep/compression.h"

namespace lockstep {
namespace {

using gradient::Arguments;

std::int64_t elements(const Arguments& check, const char* name, std::int64_t rows, std::int64_t columns) {
  check.count(rows);
  check.count(columns);
  if (columns > 0 && rows > std::numeric_limits<std::int64_t>::max() / 8 / columns) {
    check.refuse(name, std::to_string(rows) + " x " + std::to_string(columns), "does not fit in memory");
  }
  return rows * columns;
}

double dot(const double* a, const double* b, std::size_t count) {
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

/// Takes out of `row` what lies along the rows before it; returns the norm of what is left.
double project(const std::vector<double>& rows, std::size_t before, std::size_t columns, double* row) {
  for (std::size_t k = 0; k < before; ++k) {
    const double* other = rows.data() + k * columns;
    const double along = dot(other, row, columns);
    for (std::size_t i = 0; i < columns; ++i) row[i] -= along * other[i];
  }
  return std::sqrt(dot(row, row, columns));
}

void orthonormalize(float* values, std::size_t rows, std::size_t width) {
  // What is left of a row that depends on the others is the rounding of its F32 elements.
  constexpr double NOTHING = 1e-7;
  std::vector<double> wide(values, values + rows * width);
  for (std::size_t r = 0; r < rows; ++r) {
    double* row = wide.data() + r * width;
    const double norm = std::sqrt(dot(row, row, width));
    double left = project(wide, r, width, row);
    // Once is not enough where little is left; twice is (Giraud et al. 2005, "The loss of orthogonality in
    // the Gram-Schmidt orthogonalization process").
    if (left > NOTHING * norm) left = project(wide, r, width, row);
    // Not `left <= …`: what is NaN stays so.
    const bool is_nothing = norm == 0 || left <= NOTHING * norm;
    for (std::size_t i = 0; i < width; ++i) row[i] = is_nothing ? 0 : row[i] / left;
  }
  for (std::size_t i = 0; i < wide.size(); ++i) values[i] = static_cast<float>(wide[i]);
}

}  // namespace

void orthonormalize_rows(std::int64_t matrix, std::int64_t rows, std::int64_t columns) {
  const Arguments check("orthonormalize_rows");
  const std::int64_t count = elements(check, "rows x columns", rows, columns);
  auto* values = static_cast<float*>(check.address("matrix", matrix, count));
  at_boundary(
      [&] { orthonormalize(values, static_cast<std::size_t>(rows), static_cast<std::size_t>(columns)); });
}

void expand_low_rank(std::int64_t left, std::int64_t right, std::int64_t rank, std::int64_t rows,
                     std::int64_t columns, std::int64_t target, bool subtract) {
  const Arguments check("expand_low_rank");
  const void* thin = check.address("left", left, elements(check, "rank x rows", rank, rows));
  const void* wide = check.address("right", right, elements(check, "rank x columns", rank, columns));
  void* to = check.address("target", target, elements(check, "rows x columns", rows, columns));
  variant_in_use(variants_of_low_rank_kernels)
      .expand(thin, wide, check.count(rank), check.count(rows), check.count(columns), to, subtract);
}

}  // namespace lockstep

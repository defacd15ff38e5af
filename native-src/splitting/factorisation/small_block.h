#pragma once

/// @file
/// D × D symmetric blocks, D = 2 or 3, row by row.

#include <array>

namespace lockstep::splitting {

/// block += along · u uᵀ + across · I
template <int D>
void add_link_block(double along, double across, const std::array<double, D>& u, double* block) {
  for (int k = 0; k < D; ++k) {
    for (int l = 0; l < D; ++l) block[k * D + l] += along * u[k] * u[l];
    block[k * D + k] += across;
  }
}

/// out ← block · x
template <int D>
void multiply_block(const double* block, const double* x, double* out) {
  for (int k = 0; k < D; ++k) {
    double sum = 0;
    for (int l = 0; l < D; ++l) sum += block[k * D + l] * x[l];
    out[k] = sum;
  }
}

/// The inverse of a symmetric block; zero where the determinant is not positive.
template <int D>
void invert(const double* a, double* out) {
  if constexpr (D == 2) {
    const double determinant = a[0] * a[3] - a[1] * a[1];
    const double scale = determinant > 0 ? 1 / determinant : 0;
    out[0] = scale * a[3];
    out[1] = out[2] = -scale * a[1];
    out[3] = scale * a[0];
  } else {
    const double c00 = a[4] * a[8] - a[5] * a[5];
    const double c01 = a[2] * a[5] - a[1] * a[8];
    const double c02 = a[1] * a[5] - a[2] * a[4];
    const double determinant = a[0] * c00 + a[1] * c01 + a[2] * c02;
    const double scale = determinant > 0 ? 1 / determinant : 0;
    out[0] = scale * c00;
    out[1] = out[3] = scale * c01;
    out[2] = out[6] = scale * c02;
    out[4] = scale * (a[0] * a[8] - a[2] * a[2]);
    out[5] = out[7] = scale * (a[1] * a[2] - a[0] * a[5]);
    out[8] = scale * (a[0] * a[4] - a[1] * a[1]);
  }
}

}  // namespace lockstep::splitting

#pragma once

/// @file
/// Projection of many small symmetric matrices onto the positive semidefinite cone.

#include <cstddef>

namespace lockstep::splitting {

/// How many matrices one call works on side by side; a batch is stored element by element, lane by lane:
/// entry (row, column) of lane l is at [(row * width + column) * PSD_LANES + l].
constexpr std::size_t PSD_LANES = 8;

/// Batches start at a multiple of this many bytes.
constexpr std::size_t PSD_ALIGNMENT = 64;

constexpr int PSD_MAX_WIDTH = 32;

/// Drops the negative eigenvalues of PSD_LANES symmetric matrices of `width` (1 to PSD_MAX_WIDTH), in place,
/// by cyclic Jacobi; the upper triangles count. A matrix without any stays as it is; one that is not finite
/// gives NaN or infinities. Squares of the entries must neither overflow nor underflow against one another.
/// What a lane gets depends on that lane alone, bit for bit, and not on the instruction set: so results do
/// not depend on how matrices are batched.
void project_psd(double* batch, int width);

}  // namespace lockstep::splitting

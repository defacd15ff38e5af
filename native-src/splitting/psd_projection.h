#pragma once

/// @file
/// Projection of many small symmetric matrices onto the positive semidefinite cone.

#include <cstddef>

namespace lockstep::splitting {

/// How many matrices one call works on side by side; a batch is stored element by element, lane by lane:
/// entry (row, column) of lane l is at [(row * width + column) * PSD_LANES + l].
constexpr std::size_t PSD_LANES = 8;

/// Drops the negative eigenvalues of PSD_LANES symmetric matrices of `width` (1 to 32), in place. What a lane
/// gets depends on that lane alone, bit for bit: so results do not depend on how matrices are batched.
void project_psd(double* batch, int width);

}  // namespace lockstep::splitting

#pragma once

/// @file
/// The splitting matrix P of one entry over its holders.

#include <span>
#include <vector>

#include "splitting/sparse/holders.h"
#include "splitting/splitting.h"

namespace lockstep::splitting {

/// P^{pq}: symmetric, row sums 2, non-zero on the diagonal and between neighbours only.
/// @param design METROPOLIS: 1/(1 + the greater degree) among the holders, the rest on the diagonal, times 2;
/// SINKHORN_KNOPP: D (I + pattern) D with unit row sums, times 2
/// @param weights |holders|², row by row, overwritten
void weights_of_entry(const Holders& all, std::span<const std::int32_t> holders, Design design,
                      std::vector<double>& weights);

}  // namespace lockstep::splitting

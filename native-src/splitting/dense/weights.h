#pragma once

/// @file
/// The mixing matrix P of the splitting: symmetric, row sums 2, zero but for neighbours (Barkley & Bassett,
/// arXiv 2503.13403, section on matrix selection).

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "collective/communicator/communicator.h"
#include "splitting/network/network.h"
#include "splitting/splitting.h"

namespace lockstep::splitting {

/// Square and sparse, in compressed rows; columns ascend and include the diagonal.
struct MixingMatrix {
  std::vector<std::size_t> offsets;
  std::vector<std::int32_t> columns;
  std::vector<double> values;

  std::int32_t size() const { return static_cast<std::int32_t>(offsets.size()) - 1; }
};

/// The rows that a rank of a group owns where sensors are dealt out in order of their number.
struct OwnRows {
  std::int32_t begin;
  std::int32_t end;
};
OwnRows own_rows(std::int32_t rows, int rank, int ranks);

/// Ones on the diagonal and between neighbours, in either direction.
MixingMatrix mixing_pattern(const Network& network);

/// Scaled to row sums 2 by the symmetric form of Sinkhorn–Knopp: factors f_i ← √(f_i / Σ_j f_j), and P_ij = 2
/// f_i f_j in the end (Knight, Ruiz & Uçar, 2014). The limit is that of alternating rows and columns.
MixingMatrix sinkhorn_knopp(MixingMatrix pattern);

/// Collective: the same bits, from neighbours' factors only; a rank gets the values of its own_rows() and
/// leaves the others as they are.
MixingMatrix sinkhorn_knopp(Communicator& group, MixingMatrix pattern);

/// 1/(1 + the greater degree) between neighbours and the rest on the diagonal, times 2.
MixingMatrix metropolis(MixingMatrix pattern);

/// @param weights P, row by row, of all sensors
/// @throws Error INVALID_ARGUMENT where they are not symmetric with row sums 2, are not zero where the
/// pattern is, or have an eigenvalue outside (−2, 2) besides the one of the row sums
MixingMatrix user_weights(MixingMatrix pattern, std::span<const double> weights);

/// Collective: what the options ask for. Rows of other ranks may be missing.
/// @throws Error INVALID_ARGUMENT as user_weights(), and where neighbours leave the sensors in parts
MixingMatrix mixing_for(Communicator& group, const Network& network, const Options& options);

}  // namespace lockstep::splitting

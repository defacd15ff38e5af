#pragma once

#include <vector>

#include "collective/communicator/communicator.h"
#include "splitting/dense/weights.h"

namespace lockstep::splitting {

/// The factors of sinkhorn_knopp(), one for each row.
std::vector<double> scaling_factors(const MixingMatrix& pattern);

/// Collective: the same bits for the own rows and their columns; the rest is left at 1. A round exchanges the
/// factors of rows that have columns on another rank, with that rank alone, and the largest deviation of a
/// row sum, which ends the rounds, with all.
std::vector<double> scaling_factors(Communicator& group, const MixingMatrix& pattern);

}  // namespace lockstep::splitting

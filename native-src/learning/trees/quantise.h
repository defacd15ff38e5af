#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "learning/group.h"
#include "learning/trees/split.h"

namespace lockstep::learning {

/// Gradients and hessians as integers whose sums over all rows do not overflow, in units that the largest
/// ones of all ranks set. Collective.
/// @param rows those that count; @param all_rows terms that a sum has at most
/// @param sums by row; those of `rows` are set
FixedPoint quantise(const Group& group, std::span<const double> gradients, std::span<const double> hessians,
                    std::span<const std::uint32_t> rows, std::int64_t all_rows, std::span<BinSums> sums);

}  // namespace lockstep::learning

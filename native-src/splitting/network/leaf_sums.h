#pragma once

/// @file
/// Sums over all sensors whose bits do not depend on who owns which.

#include <array>
#include <span>
#include <vector>

#include "collective/communicator/communicator.h"
#include "splitting/sparse/partition.h"

namespace lockstep::splitting {

/// Collective: adds within leaves, then leaf by leaf, the same on every rank.
/// @param terms of own places, by place
template <std::size_t N>
std::array<double, N> sum_of_all(Communicator& group, const Partition& partition,
                                 std::span<const std::array<double, N>> terms);

}  // namespace lockstep::splitting

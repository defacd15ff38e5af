#pragma once

/// @file
/// What the splitting sends between ranks, in words of its own. All throw what Communicator::run() throws.

#include <cstdint>
#include <span>
#include <vector>

#include "collective/communicator/communicator.h"

namespace lockstep::splitting {

void send(Communicator& group, std::span<const double> values, int destination);
void receive(Communicator& group, std::span<double> values, int source);

/// Collective.
double largest_of_all(Communicator& group, double value);

/// Collective: everyone's values, one after the other in order of rank.
/// @param counts how many each rank has
void gather_all(Communicator& group, std::span<const double> own, std::span<double> all,
                const std::vector<std::int64_t>& counts);

}  // namespace lockstep::splitting

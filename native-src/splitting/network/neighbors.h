#pragma once

#include "splitting/network/network.h"

namespace lockstep::splitting {

/// Fills in N_i: the neighbour towards the root of a shortest spanning tree, so that the lists connect what
/// the ranges connect, then the nearest ones. O(ranges · log ranges).
/// @param network its ranges sorted and valid
/// @param most of a sensor
void choose_neighbors(Network& network, int most);

/// Sorts the lists that the caller gave. @throws Error INVALID_ARGUMENT for lists that name no sensor, the
/// sensor itself, one twice, one without a range, or more than MOST_NEIGHBORS
void check_neighbors(Network& network);

}  // namespace lockstep::splitting

#pragma once

#include "splitting/network/network.h"

namespace lockstep::splitting {

/// Refuses networks in which some sensor has no definite position, whatever the distances: too few anchors, a
/// part without them, sensors with too few references. What d references leave open (one mirror image) is
/// no error; refinement reports it. Time linear in the ranges but for one sort.
/// @param network its ranges sorted and valid
/// @throws Error INVALID_ARGUMENT that names the sensors
void check_localizable(const Network& network);

}  // namespace lockstep::splitting

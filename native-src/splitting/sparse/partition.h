#pragma once

/// @file
/// Which rank works on which sensors.

#include <cstdint>
#include <vector>

#include "splitting/network/network.h"
#include "splitting/sparse/rows.h"

namespace lockstep::splitting {

/// Sensors stand in an order in which neighbours are near each other; each rank takes a stretch of it. What
/// is added up over all sensors is added within leaves first, then leaf by leaf: order and leaves depend on
/// the network alone, so that sums do not depend on the number of ranks.
struct Partition {
  std::vector<std::int32_t> sensor_at;  ///< by place
  std::vector<std::int32_t> place_of;   ///< by sensor
  std::int32_t leaf = 1;                ///< places in a leaf; the last may have fewer
  std::vector<std::int32_t> begins;  ///< ranks + 1: rank r has places begins[r] … begins[r + 1]; multiples
                                     ///< of `leaf`, but the last

  std::int32_t sensors() const { return static_cast<std::int32_t>(sensor_at.size()); }
  int rank_of(std::int32_t place) const;
  std::int32_t leaves() const { return (sensors() + leaf - 1) / leaf; }
};

/// @param network checked
Partition partition(const Network& network, int ranks);

/// Reverse Cuthill–McKee (George & Liu 1981, section 4.4): breadth first from a sensor at the rim, so that
/// stretches of the order share few links.
/// @param adjacent symmetric
/// @return the sensors in order
std::vector<std::int32_t> reverse_cuthill_mckee(const Rows& adjacent);

/// Whom a sensor chose or was chosen by, sorted.
Rows symmetric_neighbors(const Network& network);

}  // namespace lockstep::splitting

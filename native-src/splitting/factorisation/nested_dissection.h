#pragma once

/// @file
/// An order of elimination that fills in little: halves of the plane first, what separates them last.

#include <cstdint>
#include <span>
#include <vector>

#include "splitting/network/range_graph.h"

namespace lockstep::splitting {

/// A node of the tree of separators.
struct Front {
  std::vector<std::int32_t> own;     ///< sensors that are eliminated here
  std::vector<std::int32_t> border;  ///< later ones that their elimination couples, in order of elimination
  std::int32_t parent = -1;
};

/// Nested dissection (George, SIAM J. Numer. Anal. 10, 1973) by recursive bisection of the coordinates: the
/// separator is what one half has ranges from into the other, a vertex cover of the ranges that cross.
/// @param points points × d; any positions give a right order, those of the sensors a good one
/// @return children before their parents; every sensor is in exactly one front's own
std::vector<Front> dissect(const RangeGraph& graph, std::span<const double> points);

}  // namespace lockstep::splitting

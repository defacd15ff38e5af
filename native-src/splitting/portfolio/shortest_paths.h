#pragma once

/// @file
/// MDS-MAP: positions in any number of dimensions from the lengths of shortest paths.

#include <span>
#include <vector>

#include "splitting/network/range_graph.h"

namespace lockstep::splitting {

/// Classical scaling of the lengths of shortest paths over ranges (Shang, Ruml, Zhang and Fromherz, MobiHoc
/// 2003), turned and shifted so that the anchors fit. Serial; quadratic in the sensors.
/// @param points points × graph.dimension(), of which the anchors count
/// @param dimensions k, at least graph.dimension(): the anchors lie flat in these
/// @return sensors × k
std::vector<double> map_by_shortest_paths(const RangeGraph& graph, std::span<const double> points,
                                          int dimensions);

}  // namespace lockstep::splitting

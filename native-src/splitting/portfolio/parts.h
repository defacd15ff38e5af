#pragma once

/// @file
/// The parts of a large network whose ranges do not fit.

#include <cstdint>
#include <span>
#include <vector>

#include "splitting/network/range_graph.h"

namespace lockstep::splitting {

/// Parts of up to `sensors_each`, the worst first, no two of which begin within each other: each sensor in
/// whose neighbourhood the squares of residuals are more than chance explains (4 standard deviations of χ²),
/// with the sensors around it. Serial; linear in the ranges.
/// @param points points × d
std::vector<std::vector<std::int32_t>> doubtful_parts(const RangeGraph& graph, const Loss& loss,
                                                      std::span<const double> points,
                                                      std::size_t sensors_each, std::size_t most_parts);

}  // namespace lockstep::splitting

#pragma once

/// @file
/// Lines (in space: planes) that groups of sensors may be reflected in.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "splitting/network/range_graph.h"

namespace lockstep::splitting {

template <int D>
struct Mirror {
  std::array<double, D> origin;
  std::array<double, D> normal;  ///< of length 1

  /// The distance of a point, with the side as its sign. Between the image of a point at height g and another
  /// point at height h the square of the distance is 4 g h more than between the points themselves.
  double height(const double* point) const {
    double sum = 0;
    for (int k = 0; k < D; ++k) sum += (point[k] - origin[k]) * normal[k];
    return sum;
  }

  std::array<double, D> image(const double* point) const {
    const double above = height(point);
    std::array<double, D> other;
    for (int k = 0; k < D; ++k) other[k] = point[k] - 2 * above * normal[k];
    return other;
  }
};

/// Points that span a mirror, two in a plane and three in space, ascending; and a sensor that is near all.
struct MirrorPoints {
  std::array<std::int32_t, 3> points;  ///< in a plane the last two are the same
  std::int32_t center;
};

/// The mirrors through points near each other, each once: through a sensor's range ends, itself, and, in
/// networks small enough for it, anchors far away, which may be the hinge of a group, too. By center.
std::vector<MirrorPoints> mirrors_of(const RangeGraph& graph, std::size_t anchors);

/// @param points points × D @return whether these points span a mirror
template <int D>
bool span_mirror(const MirrorPoints& through, std::span<const double> points, Mirror<D>& mirror);

}  // namespace lockstep::splitting

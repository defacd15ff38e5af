#include "splitting/mirrors/mirror.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace lockstep::splitting {
namespace {

constexpr std::size_t MOST_ENDS = 10;     // Of a sensor, that lines are drawn through.
constexpr std::size_t MOST_ANCHORS = 6;   // … beside these.
constexpr std::size_t FAR_ANCHORS = 400;  // Sensors up to which far anchors count: too many lines in others.
constexpr std::size_t FAR_ANCHORS_IN_SPACE = 100;
constexpr double FLATTEST = 1e-3;  // Sine of the angle at which three points still span a plane.

/// The sensor first.
std::vector<std::int32_t> near(const RangeGraph& graph, std::int32_t sensor, std::size_t anchors) {
  std::vector<std::int32_t> points{sensor};
  const auto ends = graph.ends_of(sensor);
  const std::size_t stride = (ends.size() + MOST_ENDS - 1) / MOST_ENDS;
  for (std::size_t k = 0; k < ends.size(); k += stride) points.push_back(ends[k].point);
  const std::size_t most = graph.dimension() == 2 ? FAR_ANCHORS : FAR_ANCHORS_IN_SPACE;
  if (static_cast<std::size_t>(graph.sensors()) > most) return points;
  const std::size_t apart = (anchors + MOST_ANCHORS - 1) / MOST_ANCHORS;
  for (std::size_t anchor = 0; anchor < anchors; anchor += apart) {
    points.push_back(graph.sensors() + static_cast<std::int32_t>(anchor));
  }
  return points;
}

}  // namespace

std::vector<MirrorPoints> mirrors_of(const RangeGraph& graph, std::size_t anchors) {
  std::vector<MirrorPoints> mirrors;
  for (std::int32_t sensor = 0; sensor < graph.sensors(); ++sensor) {
    const std::vector<std::int32_t> points = near(graph, sensor, anchors);
    // In space, planes through the sensor alone: those of all triples would be too many.
    const std::size_t firsts = graph.dimension() == 2 ? points.size() : 1;
    for (std::size_t a = 0; a < firsts; ++a) {
      for (std::size_t b = a + 1; b < points.size(); ++b) {
        const std::size_t last = graph.dimension() == 2 ? b + 1 : points.size();
        for (std::size_t c = graph.dimension() == 2 ? b : b + 1; c < last; ++c) {
          std::array<std::int32_t, 3> through{points[a], points[b], points[c]};
          std::sort(through.begin(), through.end());
          if (graph.dimension() == 2) through[1] = through[2];
          if (through[0] != through[1]) mirrors.push_back({through, sensor});
        }
      }
    }
  }
  std::sort(mirrors.begin(), mirrors.end(), [](const MirrorPoints& a, const MirrorPoints& b) {
    return std::tie(a.points, a.center) < std::tie(b.points, b.center);
  });
  const auto last =
      std::unique(mirrors.begin(), mirrors.end(),
                  [](const MirrorPoints& a, const MirrorPoints& b) { return a.points == b.points; });
  mirrors.erase(last, mirrors.end());
  std::stable_sort(mirrors.begin(), mirrors.end(),
                   [](const MirrorPoints& a, const MirrorPoints& b) { return a.center < b.center; });
  return mirrors;
}

template <int D>
bool span_mirror(const MirrorPoints& through, std::span<const double> points, Mirror<D>& mirror) {
  const auto place = [&](std::size_t k) { return &points[static_cast<std::size_t>(through.points[k]) * D]; };
  double u[D], v[D];
  double length_u = 0;
  double length_v = 0;
  for (int k = 0; k < D; ++k) {
    mirror.origin[k] = place(0)[k];
    u[k] = place(1)[k] - place(0)[k];
    v[k] = place(2)[k] - place(0)[k];
    length_u += u[k] * u[k];
    length_v += v[k] * v[k];
  }
  if constexpr (D == 2) {
    mirror.normal = {-u[1], u[0]};
  } else {
    mirror.normal = {u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]};
  }
  double square = 0;
  for (int k = 0; k < D; ++k) square += mirror.normal[k] * mirror.normal[k];
  const double least = D == 2 ? 0 : FLATTEST * FLATTEST * length_u * length_v;
  if (!(square > least)) return false;
  for (int k = 0; k < D; ++k) mirror.normal[k] /= std::sqrt(square);
  return true;
}

template bool span_mirror<2>(const MirrorPoints&, std::span<const double>, Mirror<2>&);
template bool span_mirror<3>(const MirrorPoints&, std::span<const double>, Mirror<3>&);

}  // namespace lockstep::splitting

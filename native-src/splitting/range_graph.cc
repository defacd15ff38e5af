#include "splitting/range_graph.h"

#include <algorithm>

namespace lockstep::splitting {
namespace {

constexpr double LEAST_RANGE_FOR_WEIGHT = 1e-3;  // Of the mean range.

double mean_range(const Network& network) {
  double sum = 0;
  for (const SensorRange& edge : network.sensor_ranges) sum += edge.range;
  for (const AnchorRange& edge : network.anchor_ranges) sum += edge.range;
  const std::size_t count = network.sensor_ranges.size() + network.anchor_ranges.size();
  // A network whose ranges are all zero has no unit of length: any will do.
  return sum > 0 ? sum / static_cast<double>(count) : 1;
}

}  // namespace

RangeGraph::RangeGraph(const Network& network, double noise_factor)
    : dimension_(network.dimension),
      offsets_(static_cast<std::size_t>(network.sensors) + 1, 0),
      anchor_positions_(network.anchor_positions) {
  for (const SensorRange& edge : network.sensor_ranges) {
    ++offsets_[static_cast<std::size_t>(edge.first) + 1];
    ++offsets_[static_cast<std::size_t>(edge.second) + 1];
  }
  for (const AnchorRange& edge : network.anchor_ranges) ++offsets_[static_cast<std::size_t>(edge.sensor) + 1];
  for (std::size_t k = 1; k < offsets_.size(); ++k) offsets_[k] += offsets_[k - 1];

  ends_.resize(static_cast<std::size_t>(offsets_.back()));
  std::vector<std::int64_t> next(offsets_.begin(), offsets_.end() - 1);
  const double least = LEAST_RANGE_FOR_WEIGHT * mean_range(network);
  auto add = [&](std::int32_t sensor, std::int32_t point, double range) {
    const double precision = 1 / (noise_factor * std::max(range, least));
    ends_[static_cast<std::size_t>(next[static_cast<std::size_t>(sensor)]++)] = {point, range, precision};
  };
  for (const SensorRange& edge : network.sensor_ranges) {
    add(edge.first, edge.second, edge.range);
    add(edge.second, edge.first, edge.range);
  }
  for (const AnchorRange& edge : network.anchor_ranges) {
    add(edge.sensor, network.sensors + edge.anchor, edge.range);
  }
  for (std::size_t sensor = 0; sensor + 1 < offsets_.size(); ++sensor) {
    std::sort(ends_.begin() + offsets_[sensor], ends_.begin() + offsets_[sensor + 1],
              [](const RangeEnd& a, const RangeEnd& b) { return a.point < b.point; });
  }
}

std::vector<double> RangeGraph::points_at(std::span<const double> positions) const {
  std::vector<double> points(positions.begin(), positions.end());
  points.insert(points.end(), anchor_positions_.begin(), anchor_positions_.end());
  return points;
}

}  // namespace lockstep::splitting

#include "splitting/network/range_graph.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace lockstep::splitting {
namespace {

constexpr double LEAST_RANGE_FOR_WEIGHT = 1e-3;  // Of the mean range.

constexpr double LEAST_SHARE_OF_RANGE = 0.5;

double mean_range_of(const Network& network) {
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
      noise_factor_(noise_factor),
      mean_range_(mean_range_of(network)),
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
  auto add = [&](std::int32_t sensor, std::int32_t point, double range, double deviation) {
    ends_[static_cast<std::size_t>(next[static_cast<std::size_t>(sensor)]++)] = {
        point, range, precision_of(range, deviation), deviation};
  };
  for (const SensorRange& edge : network.sensor_ranges) {
    add(edge.first, edge.second, edge.range, edge.deviation);
    add(edge.second, edge.first, edge.range, edge.deviation);
  }
  for (const AnchorRange& edge : network.anchor_ranges) {
    add(edge.sensor, network.sensors + edge.anchor, edge.range, edge.deviation);
  }
  for (std::size_t sensor = 0; sensor + 1 < offsets_.size(); ++sensor) {
    std::sort(ends_.begin() + offsets_[sensor], ends_.begin() + offsets_[sensor + 1],
              [](const RangeEnd& a, const RangeEnd& b) { return a.point < b.point; });
  }
}

RangeGraph::RangeGraph(const RangeGraph& whole, std::span<const std::int32_t> sensors,
                       std::span<const double> points)
    : dimension_(whole.dimension_),
      noise_factor_(whole.noise_factor_),
      mean_range_(whole.mean_range_),
      offsets_{0} {
  std::unordered_map<std::int32_t, std::int32_t> numbers;
  for (const std::int32_t sensor : sensors)
    numbers.emplace(sensor, static_cast<std::int32_t>(numbers.size()));
  const auto d = static_cast<std::size_t>(dimension_);
  for (const std::int32_t sensor : sensors) {
    for (const RangeEnd& end : whole.ends_of(sensor)) {
      const auto next = static_cast<std::int32_t>(numbers.size());
      const auto [at, is_new] = numbers.emplace(end.point, next);
      if (is_new) {
        const auto place =
            points.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(end.point) * d);
        anchor_positions_.insert(anchor_positions_.end(), place, place + dimension_);
      }
      ends_.push_back({at->second, end.range, end.precision, end.deviation});
    }
    offsets_.push_back(static_cast<std::int64_t>(ends_.size()));
    std::sort(ends_.begin() + offsets_[offsets_.size() - 2], ends_.end(),
              [](const RangeEnd& a, const RangeEnd& b) { return a.point < b.point; });
  }
}

void RangeGraph::weigh_by(std::span<const double> points) {
  const auto d = static_cast<std::size_t>(dimension_);
  for (std::size_t sensor = 0; sensor + 1 < offsets_.size(); ++sensor) {
    for (std::int64_t k = offsets_[sensor]; k < offsets_[sensor + 1]; ++k) {
      RangeEnd& end = ends_[static_cast<std::size_t>(k)];
      double square = 0;
      for (std::size_t axis = 0; axis < d; ++axis) {
        const double difference =
            points[sensor * d + axis] - points[static_cast<std::size_t>(end.point) * d + axis];
        square += difference * difference;
      }
      const double distance = std::max(std::sqrt(square), LEAST_SHARE_OF_RANGE * end.range);
      end.precision = precision_of(distance, end.deviation);
    }
  }
}

double RangeGraph::precision_of(double distance, double deviation) const {
  return 1 / std::hypot(noise_factor_ * std::max(distance, LEAST_RANGE_FOR_WEIGHT * mean_range_), deviation);
}

std::vector<double> RangeGraph::points_at(std::span<const double> positions) const {
  std::vector<double> points(positions.begin(), positions.end());
  points.insert(points.end(), anchor_positions_.begin(), anchor_positions_.end());
  return points;
}

}  // namespace lockstep::splitting

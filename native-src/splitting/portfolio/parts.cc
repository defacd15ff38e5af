#include "splitting/portfolio/parts.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace lockstep::splitting {
namespace {

constexpr std::size_t NEIGHBORHOOD = 20;  // Sensors that a sensor is judged with.
constexpr double SUSPICIOUS = 4;          // Standard deviations of χ².

/// Breadth-first balls; workspace.
class Balls {
 public:
  explicit Balls(const RangeGraph& graph)
      : graph_(graph), is_in_(static_cast<std::size_t>(graph.sensors()), 0) {}

  std::vector<std::int32_t> around(std::int32_t center, std::size_t most) {
    std::vector<std::int32_t> ball{center};
    is_in_[static_cast<std::size_t>(center)] = 1;
    for (std::size_t k = 0; k < ball.size() && ball.size() < most; ++k) {
      for (const RangeEnd& end : graph_.ends_of(ball[k])) {
        if (!graph_.is_sensor(end.point) || ball.size() >= most) break;
        char& is_in = is_in_[static_cast<std::size_t>(end.point)];
        if (is_in == 0) ball.push_back(end.point);
        is_in = 1;
      }
    }
    for (const std::int32_t sensor : ball) is_in_[static_cast<std::size_t>(sensor)] = 0;
    return ball;
  }

 private:
  const RangeGraph& graph_;
  std::vector<char> is_in_;
};

double distance(const RangeGraph& graph, std::int32_t a, std::int32_t b, std::span<const double> points) {
  const auto d = static_cast<std::size_t>(graph.dimension());
  const double* from = &points[static_cast<std::size_t>(a) * d];
  const double* to = &points[static_cast<std::size_t>(b) * d];
  return d == 2 ? distance_between<2>(from, to) : distance_between<3>(from, to);
}

}  // namespace

std::vector<std::vector<std::int32_t>> doubtful_parts(const RangeGraph& graph, const Loss& loss,
                                                      std::span<const double> points,
                                                      std::size_t sensors_each, std::size_t most_parts) {
  const auto count = static_cast<std::size_t>(graph.sensors());
  std::vector<double> squares(count, 0.0), ranges(count, 0.0);  // Of a sensor-sensor range, half to each end.
  for (std::size_t sensor = 0; sensor < count; ++sensor) {
    for (const RangeEnd& end : graph.ends_of(static_cast<std::int32_t>(sensor))) {
      const double residual =
          (end.range - distance(graph, static_cast<std::int32_t>(sensor), end.point, points)) * end.precision;
      const double share = graph.is_sensor(end.point) ? 0.5 : 1;
      squares[sensor] += share * 2 * loss.cost(residual);
      ranges[sensor] += share;
    }
  }
  Balls balls(graph);
  std::vector<std::pair<double, std::int32_t>> suspects;
  for (std::size_t sensor = 0; sensor < count; ++sensor) {
    double square = 0;
    double freedom = 0;
    for (const std::int32_t near : balls.around(static_cast<std::int32_t>(sensor), NEIGHBORHOOD)) {
      square += squares[static_cast<std::size_t>(near)];
      freedom += ranges[static_cast<std::size_t>(near)] - graph.dimension();
    }
    const double excess = (square - freedom) / std::sqrt(2 * std::max(freedom, 1.0));
    if (excess > SUSPICIOUS) suspects.emplace_back(-excess, static_cast<std::int32_t>(sensor));
  }
  std::sort(suspects.begin(), suspects.end());
  std::vector<char> is_covered(count, 0);
  std::vector<std::vector<std::int32_t>> parts;
  for (const auto& [excess, sensor] : suspects) {
    if (parts.size() == most_parts) break;
    if (is_covered[static_cast<std::size_t>(sensor)] != 0) continue;
    parts.push_back(balls.around(sensor, sensors_each));
    // The inner half: beyond it, what the rim holds in place had no chance to move.
    for (std::size_t k = 0; k < (parts.back().size() + 1) / 2; ++k) {
      is_covered[static_cast<std::size_t>(parts.back()[k])] = 1;
    }
  }
  return parts;
}

}  // namespace lockstep::splitting

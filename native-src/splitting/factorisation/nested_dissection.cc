#include "splitting/factorisation/nested_dissection.h"

#include <algorithm>
#include <limits>

namespace lockstep::splitting {
namespace {

// Sensors that are eliminated together at the bottom: fronts of some dozens of columns keep the dense kernels
// busy, and larger ones waste work on zeros.
constexpr std::size_t SENSORS_OF_A_LEAF = 32;

class Dissection {
 public:
  Dissection(const RangeGraph& graph, std::span<const double> points)
      : graph_(graph), points_(points), side_(static_cast<std::size_t>(graph.sensors()), 0) {}

  std::vector<Front> run() {
    std::vector<std::int32_t> all(static_cast<std::size_t>(graph_.sensors()));
    for (std::size_t k = 0; k < all.size(); ++k) all[k] = static_cast<std::int32_t>(k);
    divide(std::move(all));
    find_borders();
    return std::move(fronts_);
  }

 private:
  double coordinate(std::int32_t sensor, int axis) const {
    return points_[static_cast<std::size_t>(sensor) * static_cast<std::size_t>(graph_.dimension()) +
                   static_cast<std::size_t>(axis)];
  }

  int longest_axis(const std::vector<std::int32_t>& sensors) const {
    int longest = 0;
    double most = -1;
    for (int axis = 0; axis < graph_.dimension(); ++axis) {
      double low = std::numeric_limits<double>::infinity();
      double high = -low;
      for (const std::int32_t sensor : sensors) {
        low = std::min(low, coordinate(sensor, axis));
        high = std::max(high, coordinate(sensor, axis));
      }
      if (high - low > most) {
        most = high - low;
        longest = axis;
      }
    }
    return longest;
  }

  bool reaches(std::int32_t sensor, std::int32_t mark) const {
    for (const RangeEnd& end : graph_.ends_of(sensor)) {
      if (!graph_.is_sensor(end.point)) break;
      if (side_[static_cast<std::size_t>(end.point)] == mark) return true;
    }
    return false;
  }

  /// @return the front at the top of these sensors
  std::int32_t divide(std::vector<std::int32_t> sensors) {
    if (sensors.size() <= SENSORS_OF_A_LEAF) return add(std::move(sensors), {});
    const int axis = longest_axis(sensors);
    const auto middle = sensors.begin() + static_cast<std::ptrdiff_t>(sensors.size() / 2);
    std::nth_element(sensors.begin(), middle, sensors.end(), [&](std::int32_t a, std::int32_t b) {
      const double x = coordinate(a, axis);
      const double y = coordinate(b, axis);
      return x < y || (x == y && a < b);
    });
    std::vector<std::int32_t> halves[2] = {{sensors.begin(), middle}, {middle, sensors.end()}};
    std::vector<std::int32_t> separator = separate(halves);
    sensors = {};
    std::vector<std::int32_t> children;
    for (std::vector<std::int32_t>& half : halves) {
      if (!half.empty()) children.push_back(divide(std::move(half)));
    }
    return add(std::move(separator), children);
  }

  /// Moves the shorter of the two boundaries out of its half.
  std::vector<std::int32_t> separate(std::vector<std::int32_t> (&halves)[2]) {
    const std::int32_t marks[2] = {++last_mark_, ++last_mark_};
    for (int half = 0; half < 2; ++half) {
      for (const std::int32_t sensor : halves[half]) side_[static_cast<std::size_t>(sensor)] = marks[half];
    }
    std::vector<std::int32_t> boundaries[2];
    for (int half = 0; half < 2; ++half) {
      for (const std::int32_t sensor : halves[half]) {
        if (reaches(sensor, marks[1 - half])) boundaries[half].push_back(sensor);
      }
    }
    const int shorter = boundaries[1].size() < boundaries[0].size() ? 1 : 0;
    for (const std::int32_t sensor : boundaries[shorter]) side_[static_cast<std::size_t>(sensor)] = 0;
    std::erase_if(halves[shorter],
                  [&](std::int32_t sensor) { return side_[static_cast<std::size_t>(sensor)] == 0; });
    return std::move(boundaries[shorter]);
  }

  std::int32_t add(std::vector<std::int32_t> own, const std::vector<std::int32_t>& children) {
    const auto number = static_cast<std::int32_t>(fronts_.size());
    for (const std::int32_t child : children) fronts_[static_cast<std::size_t>(child)].parent = number;
    fronts_.push_back({.own = std::move(own), .border = {}});
    return number;
  }

  /// A front couples what its own sensors and its children's borders reach of what is eliminated later.
  void find_borders() {
    std::vector<std::int32_t> turn(side_.size());
    std::int32_t next = 0;
    for (const Front& front : fronts_) {
      for (const std::int32_t sensor : front.own) turn[static_cast<std::size_t>(sensor)] = next++;
    }
    std::int32_t eliminated = 0;
    for (Front& front : fronts_) {
      eliminated += static_cast<std::int32_t>(front.own.size());
      std::vector<std::int32_t>& border = front.border;  // Its children have added theirs.
      for (const std::int32_t sensor : front.own) {
        for (const RangeEnd& end : graph_.ends_of(sensor)) {
          if (graph_.is_sensor(end.point)) border.push_back(end.point);
        }
      }
      std::erase_if(border,
                    [&](std::int32_t sensor) { return turn[static_cast<std::size_t>(sensor)] < eliminated; });
      std::sort(border.begin(), border.end(), [&](std::int32_t a, std::int32_t b) {
        return turn[static_cast<std::size_t>(a)] < turn[static_cast<std::size_t>(b)];
      });
      border.erase(std::unique(border.begin(), border.end()), border.end());
      if (front.parent < 0) continue;
      Front& parent = fronts_[static_cast<std::size_t>(front.parent)];
      parent.border.insert(parent.border.end(), border.begin(), border.end());
    }
  }

  const RangeGraph& graph_;
  std::span<const double> points_;
  std::vector<std::int32_t> side_;  ///< the mark of the half that a sensor is in, 0 in a separator
  std::int32_t last_mark_ = 0;
  std::vector<Front> fronts_;
};

}  // namespace

std::vector<Front> dissect(const RangeGraph& graph, std::span<const double> points) {
  return Dissection(graph, points).run();
}

}  // namespace lockstep::splitting

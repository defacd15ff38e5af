#include "splitting/network/network.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>
#include <utility>

#include "splitting/network/localizable.h"
#include "splitting/network/neighbors.h"
#include "splitting/network/network_error.h"

namespace lockstep::splitting {
namespace {

/// The relaxation squares distances twice over; beyond this they would overflow.
constexpr double LONGEST = 1e70;

std::string numbered(const char* kind, std::int32_t number) {
  return std::string(kind) + " " + std::to_string(number);
}

void check_number(const char* kind, std::int32_t number, std::int32_t count) {
  if (number >= 0 && number < count) return;
  refuse_network("a range names the unknown " + numbered(kind, number) + "; " + kind +
                 "s are numbered from 0 to " + std::to_string(count - 1) + ".");
}

void check_length(double range, const std::string& first, const std::string& second) {
  if (range >= 0 && range <= LONGEST) return;
  refuse_network("the range between " + first + " and " + second + " is " + std::to_string(range) +
                 "; a range is a finite distance that is not negative.");
}

void check_deviation(double deviation, const std::string& first, const std::string& second) {
  if (deviation >= 0 && deviation <= LONGEST) return;
  refuse_network("the standard deviation of the range between " + first + " and " + second + " is " +
                 std::to_string(deviation) + "; it is finite and not negative.");
}

[[noreturn]] void refuse_second(const std::string& first, const std::string& second, double one,
                                double other) {
  refuse_network("the range between " + first + " and " + second + " is given twice with different values, " +
                 std::to_string(one) + " and " + std::to_string(other) + ". Keep one, or their mean.");
}

void check_sizes(const Network& network) {
  if (network.dimension != 2 && network.dimension != 3) {
    refuse_network("it has " + std::to_string(network.dimension) + " dimensions; 2 or 3 are supported.");
  }
  if (network.sensors < 1) {
    refuse_network("it has " + std::to_string(network.sensors) + " sensors; at least one is needed.");
  }
  if (network.anchor_positions.size() % static_cast<std::size_t>(network.dimension) != 0) {
    refuse_network("its anchors have " + std::to_string(network.anchor_positions.size()) +
                   " coordinates in all, not " + std::to_string(network.dimension) + " for each.");
  }
  for (std::size_t k = 0; k < network.anchor_positions.size(); ++k) {
    const double coordinate = network.anchor_positions[k];
    if (std::abs(coordinate) <= LONGEST) continue;
    const auto anchor = static_cast<std::int32_t>(k) / network.dimension;
    refuse_network("a coordinate of " + numbered("anchor", anchor) + " is " + std::to_string(coordinate) +
                   "; coordinates are finite.");
  }
}

void check_sensor_ranges(Network& network) {
  for (SensorRange& range : network.sensor_ranges) {
    check_number("sensor", range.first, network.sensors);
    check_number("sensor", range.second, network.sensors);
    if (range.first == range.second) {
      refuse_network(numbered("sensor", range.first) + " has a range to itself. Leave it out.");
    }
    if (range.first > range.second) std::swap(range.first, range.second);
    check_length(range.range, numbered("sensor", range.first), numbered("sensor", range.second));
    check_deviation(range.deviation, numbered("sensor", range.first), numbered("sensor", range.second));
  }
  auto& ranges = network.sensor_ranges;
  std::sort(ranges.begin(), ranges.end(), [](const SensorRange& a, const SensorRange& b) {
    return std::tie(a.first, a.second) < std::tie(b.first, b.second);
  });
  const auto end = std::unique(ranges.begin(), ranges.end(), [](const SensorRange& a, const SensorRange& b) {
    if (a.first != b.first || a.second != b.second) return false;
    if (a.range != b.range) {
      refuse_second(numbered("sensor", a.first), numbered("sensor", a.second), a.range, b.range);
    }
    return true;
  });
  ranges.erase(end, ranges.end());
}

void check_anchor_ranges(Network& network) {
  for (const AnchorRange& range : network.anchor_ranges) {
    check_number("sensor", range.sensor, network.sensors);
    check_number("anchor", range.anchor, network.anchors());
    check_length(range.range, numbered("sensor", range.sensor), numbered("anchor", range.anchor));
    check_deviation(range.deviation, numbered("sensor", range.sensor), numbered("anchor", range.anchor));
  }
  auto& ranges = network.anchor_ranges;
  std::sort(ranges.begin(), ranges.end(), [](const AnchorRange& a, const AnchorRange& b) {
    return std::tie(a.sensor, a.anchor) < std::tie(b.sensor, b.anchor);
  });
  const auto end = std::unique(ranges.begin(), ranges.end(), [](const AnchorRange& a, const AnchorRange& b) {
    if (a.sensor != b.sensor || a.anchor != b.anchor) return false;
    if (a.range != b.range) {
      refuse_second(numbered("sensor", a.sensor), numbered("anchor", a.anchor), a.range, b.range);
    }
    return true;
  });
  ranges.erase(end, ranges.end());
}

}  // namespace

Network checked(Network network, int most_neighbors) {
  if (most_neighbors < 1 || most_neighbors > MOST_NEIGHBORS) {
    refuse_network("at most " + std::to_string(most_neighbors) +
                   " neighbours of a sensor were asked for; 1 to " + std::to_string(MOST_NEIGHBORS) +
                   " are supported.");
  }
  check_sizes(network);
  check_sensor_ranges(network);
  check_anchor_ranges(network);
  check_localizable(network);
  if (network.neighbor_offsets.empty()) {
    choose_neighbors(network, most_neighbors);
  } else {
    check_neighbors(network);
  }
  return network;
}

}  // namespace lockstep::splitting

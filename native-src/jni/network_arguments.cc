#include "jni/network_arguments.h"

#include <limits>
#include <string>
#include <utility>

namespace lockstep {
namespace {

using gradient::Arguments;

/// None where the address is 0.
std::span<const double> deviations_at(const Arguments& arguments, const char* name, std::int64_t address,
                                      std::size_t count) {
  return address == 0 ? std::span<const double>()
                      : elements_at<const double>(arguments, name, address, count);
}

void read_ranges(const Arguments& arguments, const NetworkArguments& raw, splitting::Network& network) {
  const std::size_t between = length_of(arguments, "sensor_ranges", raw.sensor_ranges);
  const auto pairs =
      elements_at<const std::int32_t>(arguments, "sensor_pairs", raw.sensor_pairs, 2 * between);
  const auto distances =
      elements_at<const double>(arguments, "sensor_distances", raw.sensor_distances, between);
  const auto deviations = deviations_at(arguments, "sensor_deviations", raw.sensor_deviations, between);
  network.sensor_ranges.reserve(between);
  for (std::size_t k = 0; k < between; ++k) {
    network.sensor_ranges.push_back(
        {pairs[2 * k], pairs[2 * k + 1], distances[k], deviations.empty() ? 0 : deviations[k]});
  }
  const std::size_t to_anchors = length_of(arguments, "anchor_ranges", raw.anchor_ranges);
  const auto seen =
      elements_at<const std::int32_t>(arguments, "anchor_pairs", raw.anchor_pairs, 2 * to_anchors);
  const auto lengths =
      elements_at<const double>(arguments, "anchor_distances", raw.anchor_distances, to_anchors);
  const auto own = deviations_at(arguments, "anchor_deviations", raw.anchor_deviations, to_anchors);
  network.anchor_ranges.reserve(to_anchors);
  for (std::size_t k = 0; k < to_anchors; ++k) {
    network.anchor_ranges.push_back({seen[2 * k], seen[2 * k + 1], lengths[k], own.empty() ? 0 : own[k]});
  }
}

/// Offsets say how much is read of the neighbours, so that they are looked at first.
void read_neighbors(const Arguments& arguments, const NetworkArguments& raw, splitting::Network& network) {
  if (raw.neighbor_offsets == 0) return;
  const auto offsets = elements_at<const std::int64_t>(arguments, "neighbor_offsets", raw.neighbor_offsets,
                                                       static_cast<std::size_t>(raw.sensors) + 1);
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    const std::int64_t least = i == 0 ? 0 : offsets[i - 1];
    const std::int64_t most = i == 0 ? 0 : least + std::numeric_limits<std::int32_t>::max();
    if (offsets[i] < least || offsets[i] > most) {
      arguments.refuse("neighbor_offsets", std::to_string(offsets[i]) + " at " + std::to_string(i),
                       "must start with 0 and never fall");
    }
  }
  const std::size_t count = length_of(arguments, "neighbor_offsets' last", offsets.back());
  const auto neighbors = elements_at<const std::int32_t>(arguments, "neighbors", raw.neighbors, count);
  network.neighbor_offsets.assign(offsets.begin(), offsets.end());
  network.neighbors.assign(neighbors.begin(), neighbors.end());
}

}  // namespace

std::size_t length_of(const Arguments& arguments, const char* name, std::int64_t value) {
  if (value < 0 || value > std::numeric_limits<std::int32_t>::max()) {
    arguments.refuse(name, std::to_string(value), "must be from 0 to 2147483647");
  }
  return static_cast<std::size_t>(value);
}

splitting::Network network_from(const Arguments& arguments, const NetworkArguments& raw) {
  if (raw.dimension != 2 && raw.dimension != 3) {
    arguments.refuse("dimension", std::to_string(raw.dimension), "must be 2 or 3");
  }
  splitting::Network network;
  network.dimension = raw.dimension;
  network.sensors = static_cast<std::int32_t>(length_of(arguments, "sensors", raw.sensors));
  const std::size_t coordinates =
      length_of(arguments, "anchors", raw.anchors) * static_cast<std::size_t>(raw.dimension);
  const auto positions =
      elements_at<const double>(arguments, "anchor_positions", raw.anchor_positions, coordinates);
  network.anchor_positions.assign(positions.begin(), positions.end());
  read_ranges(arguments, raw, network);
  read_neighbors(arguments, raw, network);
  return splitting::checked(std::move(network), raw.most_neighbors);
}

}  // namespace lockstep

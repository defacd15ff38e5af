#pragma once

/// @file
/// A sensor network: who measured which distance to whom. Sensors are 0…sensors − 1, anchors 0…anchors − 1.

#include <cstdint>
#include <span>
#include <vector>

namespace lockstep::splitting {

/// N_i's greatest size: the widest block whose projection psd_projection.h does has 1 + d + 28 rows.
constexpr int MOST_NEIGHBORS = 28;

struct SensorRange {
  std::int32_t first;  ///< sensor, less than `second`
  std::int32_t second;
  double range;          ///< measured distance, ≥ 0, in the anchors' unit of length
  double deviation = 0;  ///< the part of its standard deviation that does not grow with the distance
};

struct AnchorRange {
  std::int32_t sensor;
  std::int32_t anchor;
  double range;
  double deviation = 0;
};

/// Values only; the same on every rank of a group. Checked by checked(), which everything else relies on.
struct Network {
  int dimension = 2;  ///< d: 2 or 3
  std::int32_t sensors = 0;
  std::vector<double> anchor_positions;  ///< anchors × d, row by row
  std::vector<SensorRange> sensor_ranges;
  std::vector<AnchorRange> anchor_ranges;
  /// N_i of the relaxation as compressed rows: of sensor i, neighbors[neighbor_offsets[i] …
  /// neighbor_offsets[i + 1]), sorted. Directed; each names a sensor that i has a range to. Empty offsets:
  /// choose_neighbors() fills them in.
  std::vector<std::int64_t> neighbor_offsets;
  std::vector<std::int32_t> neighbors;

  std::int32_t anchors() const { return static_cast<std::int32_t>(anchor_positions.size()) / dimension; }
  std::span<const std::int32_t> neighbors_of(std::int32_t sensor) const {
    const auto begin = static_cast<std::size_t>(neighbor_offsets[static_cast<std::size_t>(sensor)]);
    const auto end = static_cast<std::size_t>(neighbor_offsets[static_cast<std::size_t>(sensor) + 1]);
    return std::span(neighbors).subspan(begin, end - begin);
  }
};

/// The network with its ranges sorted and its neighbours filled in.
/// @param most_neighbors of a sensor where the network does not say which; 1 to MOST_NEIGHBORS
/// @throws Error INVALID_ARGUMENT that names what is wrong and the sensors: unknown sensor or anchor,
/// negative or NaN range, a pair given twice with another value, a self-loop, too few anchors, parts that no
/// chain of ranges connects to enough anchors, sensors with too few references
Network checked(Network network, int most_neighbors);

}  // namespace lockstep::splitting

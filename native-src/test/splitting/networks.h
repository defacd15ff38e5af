#pragma once

/// @file
/// Networks with known answers, and what an independent implementation found for one of them.

#include <cstdint>
#include <utility>
#include <vector>

#include "splitting/network/network.h"

namespace lockstep::test {

struct KnownNetwork {
  int dimension = 2;
  std::vector<double> anchors;  ///< row by row
  std::vector<double> truth;    ///< row by row
  std::vector<splitting::SensorRange> sensor_ranges;
  std::vector<splitting::AnchorRange> anchor_ranges;
  std::vector<std::vector<std::int32_t>> neighbors;

  std::int32_t sensors() const { return static_cast<std::int32_t>(truth.size()) / dimension; }

  /// Not checked yet.
  splitting::Network network() const {
    splitting::Network result;
    result.dimension = dimension;
    result.sensors = sensors();
    result.anchor_positions = anchors;
    result.sensor_ranges = sensor_ranges;
    result.anchor_ranges = anchor_ranges;
    if (!neighbors.empty()) result.neighbor_offsets.push_back(0);
    for (const auto& row : neighbors) {
      result.neighbors.insert(result.neighbors.end(), row.begin(), row.end());
      result.neighbor_offsets.push_back(static_cast<std::int64_t>(result.neighbors.size()));
    }
    return result;
  }

  /// ‖X − truth‖² / sensors
  double mean_squared_error(const std::vector<double>& positions) const {
    double sum = 0;
    for (std::size_t k = 0; k < truth.size(); ++k) {
      sum += (positions[k] - truth[k]) * (positions[k] - truth[k]);
    }
    return sum / sensors();
  }
};

/// 30 sensors, 6 anchors, range 0.7, 5 % noise, at most 7 neighbours, which are given.
inline KnownNetwork snl30_seed0() {
  return {
#include "snl30_seed0.inc"
  };
}

/// 20 sensors, 8 anchors, range 0.35, 5 % noise.
inline KnownNetwork radar_20_8() {
  return {
#include "radar_20_8.inc"
      .neighbors = {}};
}

/// Of snl30_seed0() from a cold start with α = 10 and γ = 0.999: mean squared errors by iteration.
struct KnownTrajectories {
  std::vector<double> weights;  ///< P, row by row
  std::vector<std::pair<int, double>> exact;
  std::vector<std::pair<int, double>> inexact;
  std::vector<double> positions;  ///< after 500 iterations with the exact prox
};

inline KnownTrajectories snl30_seed0_expected() {
  return {
#include "snl30_seed0_expected.inc"
  };
}

}  // namespace lockstep::test

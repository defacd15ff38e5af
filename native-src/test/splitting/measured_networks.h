#pragma once

/// @file
/// Networks for the tests of what measurements tell: a benchmark's, and random ones.

#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "collective/backend/single_backend.h"
#include "collective/communicator/communicator.h"
#include "networks.h"
#include "ranks.h"

namespace lockstep::test {

/// Stanford's test10-500: 490 sensors, 10 anchors, range 0.3, 10 % noise.
inline KnownNetwork stanford_500() {
  return {
#include "stanford_500.inc"
      .neighbors = {}};
}

inline std::shared_ptr<Communicator> group_of_one() {
  return std::make_shared<Communicator>(std::make_unique<SingleBackend>(), PATIENCE);
}

inline double root_mean_squared_error(const KnownNetwork& known, const std::vector<double>& positions) {
  return std::sqrt(known.mean_squared_error(positions));
}

/// Sensors and anchors uniform in the unit square or cube; ranges shorter than `reach`, off by `noise` times
/// the range.
inline KnownNetwork random_network(int dimension, int sensors, int anchors, double reach, double noise,
                                   unsigned seed) {
  std::mt19937_64 engine(seed);
  std::uniform_real_distribution<double> uniform(0, 1);
  std::normal_distribution<double> normal;
  KnownNetwork known{dimension, {}, {}, {}, {}, {}};
  for (int k = 0; k < anchors * dimension; ++k) known.anchors.push_back(uniform(engine));
  for (int k = 0; k < sensors * dimension; ++k) known.truth.push_back(uniform(engine));
  auto coordinate = [&](int point, int axis) {
    return point < sensors ? known.truth[static_cast<std::size_t>(point * dimension + axis)]
                           : known.anchors[static_cast<std::size_t>((point - sensors) * dimension + axis)];
  };
  for (int first = 0; first < sensors; ++first) {
    for (int second = first + 1; second < sensors + anchors; ++second) {
      double square = 0;
      for (int axis = 0; axis < dimension; ++axis) {
        const double difference = coordinate(first, axis) - coordinate(second, axis);
        square += difference * difference;
      }
      if (square > reach * reach) continue;
      const double range = std::abs(std::sqrt(square) * (1 + noise * normal(engine)));
      if (second < sensors) {
        known.sensor_ranges.push_back({first, second, range});
      } else {
        known.anchor_ranges.push_back({first, second - sensors, range});
      }
    }
  }
  return known;
}

/// What a relaxation gives: drawn in towards the middle, and off by `error` besides.
inline std::vector<double> poor_start(const KnownNetwork& known, double error, unsigned seed) {
  std::mt19937_64 engine(seed);
  std::normal_distribution<double> normal;
  std::vector<double> positions = known.truth;
  for (double& coordinate : positions) coordinate = 0.9 * coordinate + 0.05 + error * normal(engine);
  return positions;
}

}  // namespace lockstep::test

#include "splitting/portfolio/measured_pairs.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace lockstep::splitting {
namespace {

/// Sensors on a line, one apart, measured as `measures` says; three anchors that nobody measures to.
template <typename Measures>
RangeGraph line(std::int32_t sensors, const Measures& measures) {
  Network network;
  network.sensors = sensors;
  network.anchor_positions = {-100, 0, -200, 0, -300, 0};
  for (std::int32_t i = 0; i < sensors; ++i) {
    for (std::int32_t j = i + 1; j < sensors; ++j) {
      if (measures(i, j)) network.sensor_ranges.push_back({i, j, 1.0 * (j - i)});
    }
  }
  return RangeGraph(network, 0.05);
}

std::vector<double> on_a_line(const std::vector<double>& places) {
  std::vector<double> positions;
  for (const double place : places) positions.insert(positions.end(), {place, 0});
  return positions;
}

TEST(MeasuredPairsTest, AreNoSurpriseWhereAllUpToSomeDistanceWereMeasured) {
  const RangeGraph graph = line(4, [](std::int32_t i, std::int32_t j) { return j - i <= 2; });
  EXPECT_EQ(surprise_of_pairs(graph, graph.points_at(on_a_line({0, 1, 2, 3}))), 0);
}

TEST(MeasuredPairsTest, SurpriseByTheirLikelihoodWhereAFoldBringsUnmeasuredOnesNear) {
  const RangeGraph graph = line(4, [](std::int32_t i, std::int32_t j) { return j - i <= 2; });
  // Sensor 3 beside 0: the pair at 0.1 is not measured, five up to 2 are. Falling with the distance, the best
  // share is the same for the six.
  const double expected = -(5 * std::log(5.0 / 6) + std::log(1.0 / 6));
  EXPECT_NEAR(surprise_of_pairs(graph, graph.points_at(on_a_line({0, 1, 2, 0.1}))), expected, 1e-12);
}

TEST(MeasuredPairsTest, FavourNoFoldWhereTheyDoNotDependOnTheDistance) {
  // Every second pair, near or far.
  const RangeGraph graph = line(30, [](std::int32_t i, std::int32_t j) { return (i * 7 + j * 13) % 2 == 0; });
  std::vector<double> straight, folded;
  for (int k = 0; k < 30; ++k) straight.push_back(k);
  for (int k = 0; k < 30; ++k) folded.push_back(k < 20 ? k : 39.5 - k);
  const double least = surprise_of_pairs(graph, graph.points_at(on_a_line(straight)));
  EXPECT_GT(least, 200);  // 435 pairs, a coin thrown for each
  EXPECT_NEAR(surprise_of_pairs(graph, graph.points_at(on_a_line(folded))), least, 10);
}

}  // namespace
}  // namespace lockstep::splitting

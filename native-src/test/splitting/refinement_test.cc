#include "splitting/refinement/refinement.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "measured_networks.h"
#include "sanitized.h"
#include "splitting/refinement/levenberg_marquardt.h"
#include "splitting/splitting.h"

namespace lockstep::splitting {
namespace {

using test::group_of_one;
using test::root_mean_squared_error;

bool all_finite(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
}

// With the standard deviations of the estimate's distances. The first two are what Gauss-Newton in NumPy
// finds, to all digits shown; with those of the measured ranges the errors are 0.0106, 0.00790 and 0.01333.
TEST(RefinementTest, FindsTheKnownMaximumLikelihoodFromTheTruth) {
  struct Row {
    test::KnownNetwork known;
    double noise, cost, error;
  };
  for (const Row& row :
       {Row{test::radar_20_8(), 0.05, 36.586, 0.00957}, Row{test::snl30_seed0(), 0.05, 200.613, 0.00710},
        Row{test::stanford_500(), 0.1, 1314.0, 0.01226}}) {
    // Five hundred sensors take minutes there; thirty go the same ways.
    if (test::IS_SANITIZED && row.known.truth.size() > 100) continue;
    std::vector<double> positions = row.known.truth;
    const Refinement found =
        refine(*group_of_one(), row.known.network(), {.noise_factor = row.noise}, positions);
    EXPECT_TRUE(found.converged);
    EXPECT_NEAR(found.cost, row.cost, 0.1);
    EXPECT_NEAR(root_mean_squared_error(row.known, positions), row.error, 1e-5 + 5e-3 * row.error);
  }
}

TEST(RefinementTest, ReachesItFromPoorStarts) {
  for (unsigned seed = 0; seed < 10; ++seed) {
    SCOPED_TRACE(seed);
    const test::KnownNetwork known = test::snl30_seed0();
    std::vector<double> positions = test::poor_start(known, 0.1, seed);
    const Refinement found = refine(*group_of_one(), known.network(), {}, positions);
    EXPECT_TRUE(found.converged);
    EXPECT_NEAR(found.cost, 200.6128, 1e-3);
  }
}

TEST(RefinementTest, TakesAColdSplittingOfFiveHundredToTheAccuracyOfItsRanges) {
  if (test::IS_SANITIZED) GTEST_SKIP() << "takes minutes under a sanitizer";
  const test::KnownNetwork known = test::stanford_500();
  const Network network = checked(known.network(), 7);
  const auto group = group_of_one();
  const auto splitting = make_sparse(group, network, {});
  splitting->start({});
  splitting->advance(100);
  std::vector<double> positions(known.truth.size());
  splitting->positions(positions);
  EXPECT_GT(root_mean_squared_error(known, positions), 0.03);
  refine(*group, network, {.noise_factor = 0.1}, positions);
  EXPECT_LE(root_mean_squared_error(known, positions), 0.0147);
}

TEST(RefinementTest, RecoversNoiselessNetworksInBothDimensions) {
  for (const int dimension : {2, 3}) {
    const test::KnownNetwork known =
        test::random_network(dimension, 60, 8, dimension == 2 ? 0.45 : 0.7, 0, 11);
    std::vector<double> positions = test::poor_start(known, 0.03, 5);
    const Refinement found = refine(*group_of_one(), known.network(), {}, positions);
    EXPECT_TRUE(found.converged);
    EXPECT_LE(root_mean_squared_error(known, positions), 1e-6) << dimension;
  }
}

TEST(RefinementTest, GivesTheSameBitsOnAnyNumberOfRanks) {
  if (test::IS_SANITIZED)
    GTEST_SKIP() << "takes minutes under a sanitizer; fold_search_test does the same with few";
  // Three leaves: of four ranks, one has no sensors.
  const test::KnownNetwork known = test::random_network(2, 600, 30, 0.08, 0.05, 3);
  const std::vector<double> start = test::poor_start(known, 0.02, 4);
  const RefinementOptions options{.huber = 2.5, .max_iterations = 12};
  struct Outcome {
    std::vector<double> positions, covariances, alternatives;
    double cost = 0;
  };
  auto run = [&](Communicator& group) {
    Outcome result{start, std::vector<double>(600 * 4), {}};
    result.cost = refine(group, known.network(), options, result.positions).cost;
    covariances(group, known.network(), options, result.positions, result.covariances);
    for (const Ambiguity& one : find_ambiguous(group, known.network(), options, result.positions)) {
      result.alternatives.push_back(one.sensor);
      result.alternatives.insert(result.alternatives.end(), one.alternative.begin(), one.alternative.end());
      result.alternatives.push_back(one.cost_difference);
    }
    return result;
  };
  auto has_same_bits = [](const std::vector<double>& a, const std::vector<double>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
  };
  const Outcome alone = run(*group_of_one());
  EXPECT_FALSE(alone.alternatives.empty());
  for (const int ranks : {2, 3, 4}) {
    test::run_with_communicators(ranks, Tuning{}, test::PATIENCE, [&](Communicator& group) {
      const Outcome outcome = run(group);
      EXPECT_EQ(outcome.cost, alone.cost) << ranks;
      EXPECT_TRUE(has_same_bits(outcome.positions, alone.positions)) << ranks;
      EXPECT_TRUE(has_same_bits(outcome.covariances, alone.covariances)) << ranks;
      EXPECT_TRUE(has_same_bits(outcome.alternatives, alone.alternatives)) << ranks;
    });
  }
}

TEST(RefinementTest, HubersLossShrugsOffOutlyingRanges) {
  test::KnownNetwork known = test::snl30_seed0();
  for (std::size_t k = 0; k < known.sensor_ranges.size(); k += 20) known.sensor_ranges[k].range *= 0.4;
  std::vector<double> by_squares = known.truth;
  refine(*group_of_one(), known.network(), {}, by_squares);
  std::vector<double> by_huber = by_squares;
  refine(*group_of_one(), known.network(), {.huber = 1.5}, by_huber);
  EXPECT_GT(root_mean_squared_error(known, by_squares), 0.02);
  EXPECT_LT(root_mean_squared_error(known, by_huber), 0.01);
}

TEST(RefinementTest, PartsSensorsThatStartAtOnePlace) {
  for (const int dimension : {2, 3}) {
    const test::KnownNetwork known = test::random_network(dimension, 20, 8, 2, 0.01, 7);
    std::vector<double> positions(known.truth.size(), 0.5);
    refine(*group_of_one(), known.network(), {.noise_factor = 0.01}, positions);
    EXPECT_LT(root_mean_squared_error(known, positions), 0.01) << dimension;
  }
}

TEST(RefinementTest, PartsSensorsThatNothingElseTellsApart) {
  // Both see the anchors alike, and from the line through these nothing leads to either side.
  test::KnownNetwork known{2, {0, 0, 1, 0}, {0.5, 0.1, 0.5, -0.1}, {{0, 1, 0.2}}, {}, {}};
  for (std::int32_t sensor : {0, 1}) {
    for (std::int32_t anchor : {0, 1}) known.anchor_ranges.push_back({sensor, anchor, std::hypot(0.5, 0.1)});
  }
  const RangeGraph graph(known.network(), 0.01);
  const auto group = group_of_one();
  const SensorSlices slices(*group, 2);
  std::vector<double> points = graph.points_at(std::vector<double>{0.5, 0, 0.5, 0});
  descend<2>(graph, slices, Loss{0}, {.max_steps = 100, .tolerance = 1e-9}, points);
  EXPECT_NEAR(std::abs(points[1] - points[3]), 0.2, 1e-6);
}

TEST(RefinementTest, ARangeOfZeroHoldsTwoSensorsTogether) {
  test::KnownNetwork known = test::random_network(2, 10, 5, 2, 0.01, 8);
  known.truth[2] = known.truth[0];
  known.truth[3] = known.truth[1];
  for (SensorRange& edge : known.sensor_ranges) {
    if (edge.first == 0 && edge.second == 1) edge.range = 0;
  }
  std::erase_if(known.anchor_ranges, [](const AnchorRange& edge) { return edge.sensor == 1; });
  std::erase_if(known.sensor_ranges, [](const SensorRange& edge) { return edge.first == 1; });
  std::vector<double> positions = test::poor_start(known, 0.05, 1);
  const RefinementOptions options{.noise_factor = 0.01};
  const Refinement found = refine(*group_of_one(), known.network(), options, positions);
  EXPECT_TRUE(std::isfinite(found.cost));
  ASSERT_TRUE(all_finite(positions));
  EXPECT_LT(std::hypot(positions[0] - positions[2], positions[1] - positions[3]), 1e-4);
  // Exactly at one place, where the range has no direction:
  positions[2] = positions[0];
  positions[3] = positions[1];
  const Refinement again = refine(*group_of_one(), known.network(), options, positions);
  EXPECT_NEAR(again.cost, found.cost, 1e-3 * found.cost);
  EXPECT_TRUE(all_finite(positions));
}

TEST(RefinementTest, TwoSensorsThatAShortRangeTiesChangeSidesTogether) {
  // Anchors on a line tell no side; the one off it does, but neither sensor can cross without the other.
  test::KnownNetwork known{2, {0, 0, 0.3, 0, 0.6, 0, 1, 0, 0.5, 0.9}, {0.5, 0.3, 0.51, 0.32}, {}, {}, {}};
  known.sensor_ranges.push_back({0, 1, std::hypot(0.01, 0.02)});
  for (std::int32_t sensor : {0, 1}) {
    for (std::int32_t anchor = 0; anchor < 5; ++anchor) {
      const double x = known.truth[2 * sensor] - known.anchors[2 * anchor];
      const double y = known.truth[2 * sensor + 1] - known.anchors[2 * anchor + 1];
      known.anchor_ranges.push_back({sensor, anchor, std::hypot(x, y)});
    }
  }
  std::vector<double> positions{0.5, -0.3, 0.51, -0.32};
  refine(*group_of_one(), known.network(), {.noise_factor = 0.02}, positions);
  EXPECT_LT(root_mean_squared_error(known, positions), 1e-4);
}

TEST(RefinementTest, TurningAndShiftingTheNetworkTurnsAndShiftsTheEstimate) {
  const test::KnownNetwork known = test::snl30_seed0();
  std::vector<double> plain = test::poor_start(known, 0.05, 2);
  test::KnownNetwork turned = known;
  auto turn = [](std::vector<double>& places) {
    for (std::size_t k = 0; k < places.size(); k += 2) {
      const double x = places[k];
      const double y = places[k + 1];
      places[k] = 0.8 * x - 0.6 * y + 3;
      places[k + 1] = 0.6 * x + 0.8 * y - 7;
    }
  };
  turn(turned.anchors);
  std::vector<double> positions = plain;
  turn(positions);
  const RefinementOptions options{.tolerance = 1e-12};
  refine(*group_of_one(), known.network(), options, plain);
  refine(*group_of_one(), turned.network(), options, positions);
  turn(plain);
  for (std::size_t k = 0; k < plain.size(); ++k) EXPECT_NEAR(positions[k], plain[k], 1e-6);
}

}  // namespace
}  // namespace lockstep::splitting

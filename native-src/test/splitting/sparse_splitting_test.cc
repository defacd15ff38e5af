#include "splitting/sparse/sparse_splitting.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "networks.h"
#include "ranks.h"
#include "sparse_runs.h"
#include "tcp_group.h"

namespace lockstep::splitting {
namespace {

TEST(SparseSplittingTest, FollowsTheReferenceTrajectory) {
  const test::KnownNetwork known = test::snl30_seed0();
  SparseSplitting splitting(test::group_of(0, 1), checked(known.network(), 7), {});
  std::vector<double> positions(known.truth.size());
  struct Row {
    int iteration;
    double mse, objective;
  };
  int done = 0;
  for (const Row& row :
       {Row{1, .548524, 137.09}, Row{2, .267927, 78.77}, Row{5, .0432372, 62.91}, Row{10, .0040767, 15.20},
        Row{20, .0079452, 9.551}, Row{50, .0030374, 4.822}, Row{100, .0018327, 4.710},
        Row{200, .0019974, 4.314}, Row{500, .0021464, 3.982}, Row{1000, .0022467, 3.872}}) {
    splitting.advance(row.iteration - done);
    done = row.iteration;
    splitting.positions(positions);
    EXPECT_NEAR(known.mean_squared_error(positions), row.mse, 1e-4 * row.mse) << row.iteration;
    EXPECT_NEAR(splitting.mean_objective(), row.objective, 5e-4 * row.objective) << row.iteration;
  }
}

TEST(SparseSplittingTest, GivesTheSameBitsOnAnyNumberOfRanks) {
  const Network network = checked(test::snl30_seed0().network(), 7);
  const test::Outcome alone = test::run(test::group_of(0, 1), network, {}, 60);
  for (int ranks : {2, 3, 4}) {
    test::run_as_ranks(ranks, [&](int rank) {
      EXPECT_EQ(test::run(test::group_of(rank, ranks), network, {}, 60), alone)
          << "rank " << rank << " of " << ranks;
    });
  }
}

TEST(SparseSplittingTest, GivesTheSameBitsOverTcp) {
  const Network network = checked(test::snl30_seed0().network(), 7);
  const test::Outcome alone = test::run(test::group_of(0, 1), network, {}, 20);
  const test::TcpGroup tcp(3);
  test::run_as_ranks(3, [&](int rank) {
    TcpOptions own = tcp.options;
    own.rank = rank;
    auto group = std::make_shared<Communicator>(make_backend(connect_tcp(own)), test::PATIENCE);
    EXPECT_EQ(test::run(std::move(group), network, {}, 20), alone) << "rank " << rank;
  });
}

TEST(SparseSplittingTest, KeepsTheDualsOfAnEntryInBalance) {
  const Network network = checked(test::snl30_seed0().network(), 7);
  SparseSplitting splitting(test::group_of(0, 1), network, {});
  splitting.advance(100);
  EXPECT_LT(test::largest_imbalance(splitting), 1e-11);
}

/// Sensor i of the result is sensor order[i] of the known network, which is turned by an angle.
Network turned(const test::KnownNetwork& known, const std::vector<std::int32_t>& order, double angle) {
  test::KnownNetwork result = known;
  std::vector<std::int32_t> number(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    number[static_cast<std::size_t>(order[i])] = static_cast<std::int32_t>(i);
  }
  const auto renamed = [&](std::int32_t sensor) { return number[static_cast<std::size_t>(sensor)]; };
  for (auto& range : result.sensor_ranges) {
    range = {renamed(range.first), renamed(range.second), range.range};
  }
  for (auto& range : result.anchor_ranges) range.sensor = renamed(range.sensor);
  for (std::size_t i = 0; i < order.size(); ++i) {
    result.neighbors[i] = known.neighbors[static_cast<std::size_t>(order[i])];
    for (std::int32_t& neighbor : result.neighbors[i]) neighbor = renamed(neighbor);
    std::sort(result.neighbors[i].begin(), result.neighbors[i].end());
  }
  for (std::size_t at = 0; at < result.anchors.size(); at += 2) {
    const double x = result.anchors[at], y = result.anchors[at + 1];
    result.anchors[at] = std::cos(angle) * x - std::sin(angle) * y;
    result.anchors[at + 1] = std::sin(angle) * x + std::cos(angle) * y;
  }
  return checked(result.network(), 7);
}

TEST(SparseSplittingTest, TurningAndRenumberingChangeNothingButRounding) {
  const test::KnownNetwork known = test::snl30_seed0();
  std::vector<std::int32_t> order(static_cast<std::size_t>(known.sensors()));
  std::iota(order.begin(), order.end(), 0);
  const test::Outcome before = test::run(test::group_of(0, 1), turned(known, order, 0), {}, 100);
  std::shuffle(order.begin(), order.end(), std::mt19937_64(5));
  const double angle = 1.1;
  const test::Outcome after = test::run(test::group_of(0, 1), turned(known, order, angle), {}, 100);
  EXPECT_NEAR(after.objective, before.objective, 1e-9);
  EXPECT_NEAR(after.residual, before.residual, 1e-9);
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto was = static_cast<std::size_t>(order[i]);
    const double x = before.positions[2 * was], y = before.positions[2 * was + 1];
    EXPECT_NEAR(after.positions[2 * i], std::cos(angle) * x - std::sin(angle) * y, 1e-9);
    EXPECT_NEAR(after.positions[2 * i + 1], std::sin(angle) * x + std::cos(angle) * y, 1e-9);
  }
}

/// Without noise: six sensors between anchors at the corners of a cube or square, moved by `offset`.
test::KnownNetwork noiseless(int dimension, double offset) {
  test::KnownNetwork known{.dimension = dimension,
                           .anchors = {},
                           .truth = {},
                           .sensor_ranges = {},
                           .anchor_ranges = {},
                           .neighbors = {}};
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> uniform(0.2, 0.8);
  const int corners = 1 << dimension, sensors = 6;
  for (int corner = 0; corner < corners; ++corner) {
    for (int c = 0; c < dimension; ++c) known.anchors.push_back(offset + (corner >> c & 1));
  }
  for (int i = 0; i < sensors * dimension; ++i) known.truth.push_back(offset + uniform(random));
  const auto distance = [&](const double* a, const double* b) {
    double square = 0;
    for (int c = 0; c < dimension; ++c) square += (a[c] - b[c]) * (a[c] - b[c]);
    return std::sqrt(square);
  };
  for (int i = 0; i < sensors; ++i) {
    const double* own = &known.truth[static_cast<std::size_t>(i * dimension)];
    for (int j = i + 1; j < sensors; ++j) {
      known.sensor_ranges.push_back(
          {i, j, distance(own, &known.truth[static_cast<std::size_t>(j * dimension)])});
    }
    for (int k = 0; k < corners; ++k) {
      known.anchor_ranges.push_back(
          {i, k, distance(own, &known.anchors[static_cast<std::size_t>(k * dimension)])});
    }
  }
  return known;
}

TEST(SparseSplittingTest, RecoversANoiselessNetworkWhereverItIs) {
  for (const int dimension : {2, 3}) {
    for (const double offset : {0.0, -1.0}) {
      const test::KnownNetwork known = noiseless(dimension, offset);
      const test::Outcome found = test::run(test::group_of(0, 1), checked(known.network(), 3), {}, 4000);
      EXPECT_LT(std::sqrt(known.mean_squared_error(found.positions)), 1e-6) << dimension << " " << offset;
    }
  }
}

TEST(SparseSplittingTest, LeavesRanksWithoutSensorsWhereThereAreTooFew) {
  const test::KnownNetwork known = noiseless(2, 0);
  const Network network = checked(known.network(), 3);
  const test::Outcome alone = test::run(test::group_of(0, 1), network, {}, 20);
  test::run_as_ranks(
      8, [&](int rank) { EXPECT_EQ(test::run(test::group_of(rank, 8), network, {}, 20), alone); });
}

TEST(SparseSplittingTest, StaysAtANoiselessTruthThatItStartsFrom) {
  for (const int dimension : {2, 3}) {
    const test::KnownNetwork known = noiseless(dimension, 0.5);
    SparseSplitting splitting(test::group_of(0, 1), checked(known.network(), 3), {.tolerance = 1e-12});
    splitting.start(known.truth);
    EXPECT_EQ(splitting.advance(10).stop, Stop::TOLERANCE);
    std::vector<double> positions(known.truth.size());
    splitting.positions(positions);
    EXPECT_LT(std::sqrt(known.mean_squared_error(positions)), 1e-12);
  }
}

TEST(SparseSplittingTest, TakesTheOtherDesignAndTheOtherProxTowardsTheSameOptimum) {
  const Network network = checked(test::snl30_seed0().network(), 7);
  const double usual = test::run(test::group_of(0, 1), network, {}, 500).mean_objective;
  EXPECT_NEAR(usual, 3.95, 0.15);
  const Options sinkhorn{.design = Design::SINKHORN_KNOPP};
  EXPECT_NEAR(test::run(test::group_of(0, 1), network, sinkhorn, 500).mean_objective, 3.95, 0.15);
  const Options inexact{.prox = ProxKind::INEXACT};
  EXPECT_NEAR(test::run(test::group_of(0, 1), network, inexact, 500).mean_objective, 3.95, 0.15);
  EXPECT_EQ(
      test::error_of([&] { test::run(test::group_of(0, 1), network, {.design = Design::USER}, 1); }).code(),
      ErrorCode::INVALID_ARGUMENT);
}

TEST(SparseSplittingTest, StopsTogetherWhereItsRulesSaySo) {
  const Network network = checked(test::snl30_seed0().network(), 7);
  for (const Options& options : {Options{.tolerance = 0.01}, Options{.stops_early = true}}) {
    SparseSplitting alone(test::group_of(0, 1), network, options);
    const Progress expected = alone.advance(2000);
    EXPECT_NE(expected.stop, Stop::NONE);
    test::run_as_ranks(2, [&](int rank) {
      SparseSplitting splitting(test::group_of(rank, 2), network, options);
      splitting.advance(7);
      const Progress progress = splitting.advance(1993);
      EXPECT_EQ(progress.iteration, expected.iteration);
      EXPECT_EQ(progress.stop, expected.stop);
      EXPECT_EQ(progress.objective, expected.objective);
    });
  }
}

}  // namespace
}  // namespace lockstep::splitting

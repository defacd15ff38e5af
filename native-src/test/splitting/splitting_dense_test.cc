#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "collective/backend/single_backend.h"
#include "networks.h"
#include "ranks.h"
#include "splitting/dense/dense_splitting.h"

namespace lockstep::splitting {
namespace {

using test::KnownNetwork;

std::shared_ptr<Communicator> alone() {
  return std::make_shared<Communicator>(std::make_unique<SingleBackend>(), test::PATIENCE);
}

std::vector<double> positions_of(Splitting& splitting, const KnownNetwork& known) {
  std::vector<double> positions(known.truth.size());
  splitting.positions(positions);
  return positions;
}

Options published() {
  Options options;
  options.form = Form::DENSE;
  options.design = Design::USER;
  options.user_weights = test::snl30_seed0_expected().weights;
  return options;
}

/// The exact prox of the file's author: cyclic coordinate descent, which ends after 200,000 sweeps or a sweep
/// that changes nothing by more than 1e−12. On this network it is often far from the end then, by up to 1e−5
/// in a position, so that an exact prox meets the file's trajectory to 1e−4 only.
void descend_by_coordinates(const DualBoxQp& q, double* w) {
  const int rows = q.neighbors + q.anchors;
  double s = 0;
  std::array<double, 3> p{};
  const auto add = [&](int row, double change) {
    s += change;
    for (int c = 0; row >= q.neighbors && c < q.dimension; ++c) {
      p[c] += q.positions[(row - q.neighbors) * q.dimension + c] * change;
    }
  };
  std::vector<double> diagonal(static_cast<std::size_t>(rows), 4.0);
  for (int i = 0; i < rows; ++i) {
    add(i, w[i]);
    if (i < q.neighbors) continue;
    const double* a = q.positions + (i - q.neighbors) * q.dimension;
    diagonal[i] = 1 + 2 * std::inner_product(a, a + q.dimension, a, 0.0);
  }
  for (int sweep = 0; sweep < 200000; ++sweep) {
    double largest = 0;
    for (int i = 0; i < rows; ++i) {
      double gradient = s - q.b[i];
      if (i < q.neighbors) gradient += 3 * w[i];
      for (int c = 0; i >= q.neighbors && c < q.dimension; ++c) {
        gradient += 2 * q.positions[(i - q.neighbors) * q.dimension + c] * p[c];
      }
      const double next = std::clamp(w[i] - gradient / diagonal[i], -q.alpha, q.alpha);
      largest = std::max(largest, std::abs(next - w[i]));
      add(i, next - w[i]);
      w[i] = next;
    }
    if (largest < 1e-12) break;
  }
}

/// @param last of the iterations looked at
/// @param tolerance relative, of the mean squared error after each of the iterations
void expect_trajectory(const Options& options, const std::vector<std::pair<int, double>>& expected, int last,
                       double tolerance, DualSolver solver = solve_dual) {
  const KnownNetwork known = test::snl30_seed0();
  DenseSplitting splitting(alone(), checked(known.network(), 7), options, solver);
  int done = 0;
  for (const auto& [iteration, error] : expected) {
    if (iteration > last) break;
    EXPECT_EQ(splitting.advance(iteration - done).iteration, iteration);
    done = iteration;
    EXPECT_NEAR(known.mean_squared_error(positions_of(splitting, known)), error, tolerance * error)
        << "after iteration " << iteration;
  }
}

TEST(DenseSplittingTest, FollowsThePublishedTrajectoryWithTheReferencesProx) {
  expect_trajectory(published(), test::snl30_seed0_expected().exact, 10, 1e-9, descend_by_coordinates);
}

// Some seconds; run by hand.
TEST(DenseSplittingTest, DISABLED_FollowsAllOfThePublishedTrajectoryWithTheReferencesProx) {
  expect_trajectory(published(), test::snl30_seed0_expected().exact, 500, 1e-9, descend_by_coordinates);
}

TEST(DenseSplittingTest, FollowsThePublishedTrajectoryWithTheExactProx) {
  expect_trajectory(published(), test::snl30_seed0_expected().exact, 500, 1e-4);
}

TEST(DenseSplittingTest, FollowsThePublishedTrajectoryWithTheInexactProx) {
  Options options = published();
  options.prox = ProxKind::INEXACT;
  expect_trajectory(options, test::snl30_seed0_expected().inexact, 500, 1e-9);
}

TEST(DenseSplittingTest, FollowsItWithItsOwnSinkhornKnopp) {
  Options options = published();
  options.design = Design::SINKHORN_KNOPP;
  expect_trajectory(options, test::snl30_seed0_expected().exact, 500, 1e-3);
}

// Some seconds; run by hand.
TEST(DenseSplittingTest, DISABLED_ReachesTheRelaxationsOptimum) {
  const KnownNetwork known = test::snl30_seed0();
  DenseSplitting splitting(alone(), checked(known.network(), 7), published());
  splitting.advance(20000);
  EXPECT_NEAR(splitting.mean_objective(), 3.835, 0.005);
  EXPECT_NEAR(known.mean_squared_error(positions_of(splitting, known)), 0.0020293, 1e-5);
}

Options own_design(ProxKind prox = ProxKind::EXACT) {
  Options options;
  options.form = Form::DENSE;
  options.design = Design::SINKHORN_KNOPP;
  options.prox = prox;
  return options;
}

TEST(DenseSplittingTest, DualsSumToZeroThroughout) {
  const KnownNetwork known = test::snl30_seed0();
  const Network network = checked(known.network(), 7);
  for (const ProxKind prox : {ProxKind::EXACT, ProxKind::INEXACT}) {
    DenseSplitting splitting(alone(), network, own_design(prox));
    for (const bool warm : {false, true}) {
      splitting.start(warm ? std::span<const double>(known.truth) : std::span<const double>());
      for (int repeat = 0; repeat < 5; ++repeat) {
        EXPECT_LT(splitting.invariant_defect(), 1e-11);
        splitting.advance(10);
      }
    }
  }
}

TEST(DenseSplittingTest, GivesTheSameBitsOnAnyNumberOfRanks) {
  const KnownNetwork known = test::radar_20_8();
  const Network network = checked(known.network(), 7);
  std::vector<double> expected;
  double expected_objective = 0;
  for (int ranks = 1; ranks <= 4; ++ranks) {
    test::run_with_communicators(ranks, Tuning{}, test::PATIENCE, [&](Communicator& communicator) {
      const std::shared_ptr<Communicator> group(&communicator, [](Communicator*) {});
      DenseSplitting splitting(group, network, own_design());
      const Progress progress = splitting.advance(30);
      const std::vector<double> positions = positions_of(splitting, known);
      if (ranks == 1) {
        expected = positions;
        expected_objective = progress.objective;
      }
      EXPECT_EQ(positions, expected) << ranks << " ranks";
      EXPECT_EQ(progress.objective, expected_objective);
    });
  }
}

std::vector<double> estimate_after(const Network& network, int iterations) {
  DenseSplitting splitting(alone(), network, own_design());
  splitting.advance(iterations);
  std::vector<double> positions(static_cast<std::size_t>(network.sensors * network.dimension));
  splitting.positions(positions);
  return positions;
}

TEST(DenseSplittingTest, TurnsWithTheAnchors) {
  const KnownNetwork known = test::radar_20_8();
  KnownNetwork turned = known;
  const double cosine = std::cos(0.7);
  const double sine = std::sin(0.7);
  const auto turn = [&](std::vector<double>& points) {
    for (std::size_t k = 0; k < points.size(); k += 2) {
      const double x = points[k];
      points[k] = cosine * x - sine * points[k + 1];
      points[k + 1] = sine * x + cosine * points[k + 1];
    }
  };
  turn(turned.anchors);
  std::vector<double> expected = estimate_after(checked(known.network(), 7), 60);
  turn(expected);
  const std::vector<double> positions = estimate_after(checked(turned.network(), 7), 60);
  for (std::size_t k = 0; k < positions.size(); ++k) EXPECT_NEAR(positions[k], expected[k], 1e-9);
}

TEST(DenseSplittingTest, DoesNotDependOnTheNumbersOfSensors) {
  const KnownNetwork known = test::radar_20_8();
  KnownNetwork renumbered = known;
  const auto number = [](std::int32_t sensor) { return (7 * sensor + 3) % 20; };
  for (SensorRange& range : renumbered.sensor_ranges) {
    range.first = number(range.first);
    range.second = number(range.second);
  }
  for (AnchorRange& range : renumbered.anchor_ranges) range.sensor = number(range.sensor);
  const std::vector<double> expected = estimate_after(checked(known.network(), 7), 60);
  const std::vector<double> positions = estimate_after(checked(renumbered.network(), 7), 60);
  for (std::int32_t i = 0; i < 20; ++i) {
    for (std::int32_t c = 0; c < 2; ++c) {
      EXPECT_NEAR(positions[static_cast<std::size_t>(2 * number(i) + c)],
                  expected[static_cast<std::size_t>(2 * i + c)], 1e-9);
    }
  }
}

TEST(DenseSplittingTest, StopsAtTheToleranceAndStaysThere) {
  const KnownNetwork known = test::radar_20_8();
  Options options = own_design();
  options.tolerance = 0.02;
  DenseSplitting splitting(alone(), checked(known.network(), 7), options);
  const Progress stopped = splitting.advance(1000);
  EXPECT_EQ(stopped.stop, Stop::TOLERANCE);
  EXPECT_LT(stopped.residual, 0.02);
  EXPECT_LT(stopped.iteration, 1000);
  EXPECT_EQ(splitting.advance(10).iteration, stopped.iteration);
}

TEST(DenseSplittingTest, AWarmStartBeginsAtTheGivenPositions) {
  const KnownNetwork known = test::radar_20_8();
  DenseSplitting splitting(alone(), checked(known.network(), 7), own_design());
  splitting.start(known.truth);
  EXPECT_LT(known.mean_squared_error(positions_of(splitting, known)), 1e-25);
  EXPECT_EQ(test::error_of([&] { splitting.start(std::vector<double>(7)); }).code(),
            ErrorCode::INVALID_ARGUMENT);
}

TEST(StoppingRuleTest, EndsWhenTheBestObjectiveIsMoreThanAHundredIterationsOld) {
  Options options;
  options.stops_early = true;
  StoppingRule rule(options);
  for (int k = 0; k < 50; ++k) EXPECT_EQ(rule.judge({.objective = 100.0 - k}).stop, Stop::NONE);
  for (int k = 0; k < 100; ++k) EXPECT_EQ(rule.judge({.objective = 51.0}).stop, Stop::NONE) << k;
  EXPECT_EQ(rule.judge({.objective = 51.0}).stop, Stop::EARLY);
  rule.restart();
  EXPECT_EQ(rule.judge({.objective = 51.0}).stop, Stop::NONE);
}

TEST(StoppingRuleTest, RefusesStepsThatCannotWork) {
  for (const double gamma : {0.0, 1.0, std::nan("")}) {
    Options options;
    options.gamma = gamma;
    EXPECT_EQ(test::error_of([&] { StoppingRule{options}; }).code(), ErrorCode::INVALID_ARGUMENT);
  }
  Options options;
  options.alpha = 0;
  EXPECT_EQ(test::error_of([&] { StoppingRule{options}; }).code(), ErrorCode::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace lockstep::splitting

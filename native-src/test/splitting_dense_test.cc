#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "collective/single_backend.h"
#include "networks.h"
#include "ranks.h"
#include "splitting/dense_splitting.h"

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

/// @param tolerance relative, of the mean squared error after each of the iterations
void expect_trajectory(const Options& options, const std::vector<std::pair<int, double>>& expected,
                       double tolerance) {
  const KnownNetwork known = test::snl30_seed0();
  DenseSplitting splitting(alone(), checked(known.network(), 7), options);
  int done = 0;
  for (const auto& [iteration, error] : expected) {
    EXPECT_EQ(splitting.advance(iteration - done).iteration, iteration);
    done = iteration;
    EXPECT_NEAR(known.mean_squared_error(positions_of(splitting, known)), error, tolerance * error)
        << "after iteration " << iteration;
  }
}

TEST(DenseSplittingTest, FollowsThePublishedTrajectoryWithTheExactProx) {
  expect_trajectory(published(), test::snl30_seed0_expected().exact, 1e-4);
}

TEST(DenseSplittingTest, FollowsThePublishedTrajectoryWithTheInexactProx) {
  Options options = published();
  options.prox = ProxKind::INEXACT;
  expect_trajectory(options, test::snl30_seed0_expected().inexact, 1e-9);
}

TEST(DenseSplittingTest, FollowsItWithItsOwnSinkhornKnopp) {
  Options options = published();
  options.design = Design::SINKHORN_KNOPP;
  expect_trajectory(options, test::snl30_seed0_expected().exact, 1e-3);
}

}  // namespace
}  // namespace lockstep::splitting

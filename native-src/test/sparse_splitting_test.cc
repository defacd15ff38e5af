#include "splitting/sparse_splitting.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "collective/transport_backend.h"
#include "networks.h"
#include "ranks.h"

namespace lockstep::splitting {
namespace {

std::shared_ptr<Communicator> group_of(int rank, int ranks) {
  return std::make_shared<Communicator>(make_backend(test::join(std::to_string(ranks), rank, ranks), Tuning{}), test::PATIENCE);
}

TEST(SparseSplittingTest, FollowsTheReferenceTrajectory) {
  const test::KnownNetwork known = test::snl30_seed0();
  SparseSplitting splitting(group_of(0, 1), checked(known.network(), 7), {});
  std::vector<double> positions(known.truth.size());
  struct Row {
    int iteration;
    double mse, objective;
  };
  int done = 0;
  for (const Row& row : {Row{1, .548524, 137.09}, Row{2, .267927, 78.77}, Row{5, .0432372, 62.91},
                         Row{10, .0040767, 15.20}, Row{20, .0079452, 9.551}, Row{50, .0030374, 4.822},
                         Row{100, .0018327, 4.710}, Row{200, .0019974, 4.314}}) {
    splitting.advance(row.iteration - done);
    done = row.iteration;
    splitting.positions(positions);
    EXPECT_NEAR(known.mean_squared_error(positions), row.mse, 1e-4 * row.mse) << row.iteration;
    EXPECT_NEAR(splitting.mean_objective(), row.objective, 5e-4 * row.objective) << row.iteration;
  }
}

/// What one rank saw.
struct Outcome {
  std::vector<double> positions;
  double objective, residual, mean_objective;
  bool operator==(const Outcome&) const = default;
};

Outcome run(std::shared_ptr<Communicator> group, const Network& network, const Options& options, int iterations) {
  SparseSplitting splitting(std::move(group), network, options);
  const Progress progress = splitting.advance(iterations);
  Outcome result{std::vector<double>(static_cast<std::size_t>(network.sensors * network.dimension)),
             progress.objective, progress.residual, splitting.mean_objective()};
  splitting.positions(result.positions);
  return result;
}

TEST(SparseSplittingTest, GivesTheSameBitsOnAnyNumberOfRanks) {
  const Network network = checked(test::snl30_seed0().network(), 7);
  const Outcome alone = run(group_of(0, 1), network, {}, 60);
  for (int ranks : {2, 3, 4}) {
    test::run_as_ranks(ranks, [&](int rank) {
      EXPECT_EQ(run(group_of(rank, ranks), network, {}, 60), alone) << "rank " << rank << " of " << ranks;
    });
  }
}

}  // namespace
}  // namespace lockstep::splitting

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "measured_networks.h"
#include "splitting/refinement/refinement.h"
#include "splitting/splitting.h"

namespace lockstep::splitting {
namespace {

using test::group_of_one;

struct IrregularNetwork {
  double noise;
  double cost;  ///< of the maximum-likelihood estimate, found from the truth by an independent implementation
  test::KnownNetwork known;
};

std::vector<IrregularNetwork> irregular_networks() {
  return {
#include "irregular_networks.inc"
  };
}

std::vector<double> relaxed(const Network& network) {
  const auto splitting = make_sparse(group_of_one(), network, {});
  splitting->start({});
  splitting->advance(200);
  std::vector<double> positions(static_cast<std::size_t>(network.sensors * network.dimension));
  splitting->positions(positions);
  return positions;
}

TEST(FoldSearchTest, FindsTheMaximumLikelihoodWhereADescentFromTheRelaxationEndsInAWorseFold) {
  for (const IrregularNetwork& irregular : irregular_networks()) {
    SCOPED_TRACE(irregular.cost);
    const Network network = checked(irregular.known.network(), 7);
    const std::vector<double> start = relaxed(network);
    RefinementOptions options{.noise_factor = irregular.noise};
    std::vector<double> positions = start;
    EXPECT_NEAR(refine(*group_of_one(), network, options, positions).cost, irregular.cost, 0.01);
    options.searches = false;
    positions = start;
    EXPECT_GT(refine(*group_of_one(), network, options, positions).cost, irregular.cost + 3);
  }
}

TEST(FoldSearchTest, GivesTheSameBitsOnAnyNumberOfRanks) {
  const IrregularNetwork irregular = irregular_networks().back();
  const Network network = checked(irregular.known.network(), 7);
  const std::vector<double> start = relaxed(network);
  const RefinementOptions options{.noise_factor = irregular.noise};
  std::vector<double> alone = start;
  const double cost = refine(*group_of_one(), network, options, alone).cost;
  for (const int ranks : {2, 3}) {
    test::run_with_communicators(ranks, Tuning{}, test::PATIENCE, [&](Communicator& group) {
      std::vector<double> positions = start;
      EXPECT_EQ(refine(group, network, options, positions).cost, cost) << ranks;
      EXPECT_EQ(std::memcmp(positions.data(), alone.data(), alone.size() * sizeof(double)), 0) << ranks;
    });
  }
}

}  // namespace
}  // namespace lockstep::splitting

#include "splitting/covariance/curvature.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "measured_networks.h"
#include "sanitized.h"
#include "splitting/covariance/soft_modes.h"
#include "splitting/refinement/refinement.h"

namespace lockstep::splitting {
namespace {

using test::group_of_one;

std::vector<double> covariances_of(Communicator& group, const test::KnownNetwork& known, double noise,
                                   const std::vector<double>& positions) {
  std::vector<double> blocks(known.truth.size() * static_cast<std::size_t>(known.dimension));
  covariances(group, known.network(), {.noise_factor = noise}, positions, blocks);
  return blocks;
}

TEST(CurvatureTest, ASensorOnAnArcStaysNoFartherFromItThanTheArcItself) {
  // A precise range of 1 to the origin, and a vague one along the tangent: the sensor is on a circle, off by
  // an angle of about 0.15.
  constexpr double VAGUE = 0.15;
  const test::KnownNetwork known{2, {0, 0, 1, -1000}, {1, 0}, {}, {{0, 0, 1, 1e-4}, {0, 1, 1000, VAGUE}}, {}};
  const std::vector<double> found = covariances_of(*group_of_one(), known, 0, known.truth);
  // Second moments over the arc, by summation.
  double mass = 0, across = 0, along = 0;
  for (double angle = -1.5; angle <= 1.5; angle += 1e-4) {
    const double weight = std::exp(-0.5 * std::pow(std::sin(angle) / VAGUE, 2));
    mass += weight;
    across += weight * std::pow(1 - std::cos(angle), 2);
    along += weight * std::pow(std::sin(angle), 2);
  }
  EXPECT_NEAR(found[0], across / mass, 0.12 * across / mass);
  EXPECT_NEAR(found[3], along / mass, 0.1 * along / mass);
  // The first order knows nothing of it: 1e-4.
  std::vector<double> first(4);
  first_order_covariances(*group_of_one(), known.network(), {.noise_factor = 0}, known.truth, first);
  EXPECT_NEAR(first[0], 1e-8, 1e-10);
}

TEST(CurvatureTest, AddsNextToNothingWhereRangesAreExact) {
  const auto known = test::random_network(2, 40, 8, 0.5, 0.001, 7);
  std::vector<double> estimate = known.truth;
  refine(*group_of_one(), known.network(), {.noise_factor = 0.001, .tolerance = 1e-12}, estimate);
  std::vector<double> first(160);
  first_order_covariances(*group_of_one(), known.network(), {.noise_factor = 0.001}, estimate, first);
  const std::vector<double> all = covariances_of(*group_of_one(), known, 0.001, estimate);
  for (std::size_t k = 0; k < first.size(); k += 4) {
    const double before = first[k] + first[k + 3];
    EXPECT_GE(all[k] + all[k + 3], before);
    EXPECT_LT(all[k] + all[k + 3], 1.01 * before);
  }
}

TEST(CurvatureTest, HoldsTheTruthInItsEllipsesAtEveryNoise) {
  if (test::HAS_THREAD_SANITIZER) GTEST_SKIP() << "takes a minute under ThreadSanitizer, with one thread";
  // 720 sensors at each noise, which move together: 0.95 give or take 0.015; at 20 % it is 0.922.
  for (const double noise : {0.01, 0.05, 0.1, 0.2}) {
    int inside = 0, all = 0;
    for (unsigned seed = 0; seed < 24; ++seed) {
      const auto known = test::random_network(2, 30, 8, 0.5, noise, 100 + seed);
      std::vector<double> estimate = known.truth;
      refine(*group_of_one(), known.network(), {.noise_factor = noise, .searches = false}, estimate);
      const std::vector<double> blocks = covariances_of(*group_of_one(), known, noise, estimate);
      for (std::size_t sensor = 0; sensor < 30; ++sensor) {
        const double* c = &blocks[4 * sensor];
        if (std::isnan(c[0])) continue;
        const double x = estimate[2 * sensor] - known.truth[2 * sensor];
        const double y = estimate[2 * sensor + 1] - known.truth[2 * sensor + 1];
        const double square = (c[3] * x * x - 2 * c[1] * x * y + c[0] * y * y) / (c[0] * c[3] - c[1] * c[2]);
        inside += square < 5.991 ? 1 : 0;  // The quantile of 95 % of chi-square with two degrees of freedom.
        ++all;
      }
    }
    EXPECT_GE(inside, 0.91 * all) << noise;
    EXPECT_LE(inside, 0.98 * all) << noise;
  }
}

TEST(CurvatureTest, HasTheSameBitsOnAnyNumberOfRanks) {
  const auto known = test::random_network(3, 30, 8, 0.7, 0.1, 5);
  const std::vector<double> alone = covariances_of(*group_of_one(), known, 0.1, known.truth);
  for (const int ranks : {2, 3}) {
    test::run_with_communicators(ranks, Tuning{}, test::PATIENCE, [&](Communicator& group) {
      const std::vector<double> blocks = covariances_of(group, known, 0.1, known.truth);
      EXPECT_EQ(std::memcmp(blocks.data(), alone.data(), alone.size() * sizeof(double)), 0) << ranks;
    });
  }
}

TEST(CurvatureTest, TheSoftestModesAreTheEigenvectorsOfLeastEigenvalue) {
  const auto known = test::random_network(2, 60, 8, 0.3, 0.05, 11);
  const RangeGraph graph(known.network(), 0.05);
  const std::vector<double> points = graph.points_at(known.truth);
  BlockCholesky cholesky(graph, points);
  factor_normal_matrix(graph, Loss{0}, points, cholesky);
  const std::vector<SoftMode> modes = soft_modes(graph, cholesky, 4);
  ASSERT_EQ(modes.size(), 4U);
  for (std::size_t k = 0; k < modes.size(); ++k) {
    // (JᵀWJ)⁻¹ v = v / λ
    std::vector<double> image = modes[k].direction;
    cholesky.solve(image);
    const double value = modes[k].deviation * modes[k].deviation;
    for (std::size_t at = 0; at < image.size(); ++at) {
      EXPECT_NEAR(image[at] / value, modes[k].direction[at], 0.02) << k;
    }
    EXPECT_LE(modes[k].deviation, modes[k > 0 ? k - 1 : 0].deviation);
  }
}

}  // namespace
}  // namespace lockstep::splitting

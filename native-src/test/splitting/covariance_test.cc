#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "instruction_sets.h"
#include "measured_networks.h"
#include "sanitized.h"
#include "splitting/refinement/refinement.h"

namespace lockstep::splitting {
namespace {

using test::group_of_one;

std::vector<double> covariances_of(const test::KnownNetwork& known, const RefinementOptions& options,
                                   const std::vector<double>& positions) {
  std::vector<double> blocks(known.truth.size() * static_cast<std::size_t>(known.dimension));
  first_order_covariances(*group_of_one(), known.network(), options, positions, blocks);
  return blocks;
}

double bound(const test::KnownNetwork& known, double noise, const std::vector<double>& positions) {
  const std::vector<double> blocks = covariances_of(known, {.noise_factor = noise}, positions);
  double trace = 0;
  for (std::size_t k = 0; k < blocks.size(); k += 4) trace += blocks[k] + blocks[k + 3];
  return std::sqrt(trace / known.sensors());
}

/// The normal matrix and its inverse, dense, straight from the definition.
std::vector<double> dense_inverse(const test::KnownNetwork& known, double noise) {
  const std::size_t d = static_cast<std::size_t>(known.dimension);
  const std::size_t n = known.truth.size();
  std::vector<double> a(n * n, 0.0), inverse(n * n, 0.0);
  auto add = [&](std::size_t first, const double* other, std::size_t second) {
    const double* here = &known.truth[first * d];
    double square = 0;
    for (std::size_t k = 0; k < d; ++k) square += (here[k] - other[k]) * (here[k] - other[k]);
    for (std::size_t k = 0; k < d; ++k) {
      for (std::size_t l = 0; l < d; ++l) {
        const double value = (here[k] - other[k]) * (here[l] - other[l]) / (square * noise * noise * square);
        a[(first * d + k) * n + first * d + l] += value;
        if (second == n) continue;
        a[(second * d + k) * n + second * d + l] += value;
        a[(first * d + k) * n + second * d + l] -= value;
        a[(second * d + k) * n + first * d + l] -= value;
      }
    }
  };
  for (const SensorRange& edge : known.sensor_ranges) {
    add(static_cast<std::size_t>(edge.first), &known.truth[static_cast<std::size_t>(edge.second) * d],
        static_cast<std::size_t>(edge.second));
  }
  for (const AnchorRange& edge : known.anchor_ranges) {
    add(static_cast<std::size_t>(edge.sensor), &known.anchors[static_cast<std::size_t>(edge.anchor) * d], n);
  }
  for (std::size_t k = 0; k < n; ++k) inverse[k * n + k] = 1;
  for (std::size_t pivot = 0; pivot < n; ++pivot) {  // Gauss–Jordan; positive definite needs no exchange.
    const double scale = 1 / a[pivot * n + pivot];
    for (std::size_t k = 0; k < n; ++k) {
      a[pivot * n + k] *= scale;
      inverse[pivot * n + k] *= scale;
    }
    for (std::size_t row = 0; row < n; ++row) {
      const double multiple = a[row * n + pivot];
      if (row == pivot || multiple == 0) continue;
      for (std::size_t k = 0; k < n; ++k) {
        a[row * n + k] -= multiple * a[pivot * n + k];
        inverse[row * n + k] -= multiple * inverse[pivot * n + k];
      }
    }
  }
  return inverse;
}

TEST(CovarianceTest, GivesTheKnownBounds) {
  // As NumPy inverts the information matrix, with standard deviations of the true distances.
  EXPECT_NEAR(bound(test::snl30_seed0(), 0.05, test::snl30_seed0().truth), 0.008751, 1e-6);
  EXPECT_NEAR(bound(test::stanford_500(), 0.1, test::stanford_500().truth), 0.012360, 1e-6);
  // This one is known at the estimate, not at the truth.
  std::vector<double> estimate = test::radar_20_8().truth;
  refine(*group_of_one(), test::radar_20_8().network(), {}, estimate);
  EXPECT_NEAR(bound(test::radar_20_8(), 0.05, estimate), 0.0101, 5e-5);
}

TEST(CovarianceTest, IsTheInversesDiagonalBlocks) {
  if (test::HAS_THREAD_SANITIZER) GTEST_SKIP() << "takes a minute under ThreadSanitizer, with one thread";
  // Enough sensors for several levels of separators.
  for (const int dimension : {2, 3}) {
    const auto known = test::random_network(dimension, 200, 20, dimension == 2 ? 0.2 : 0.4, 0.05, 9);
    const std::size_t d = static_cast<std::size_t>(dimension);
    const std::vector<double> blocks = covariances_of(known, {}, known.truth);
    const std::vector<double> inverse = dense_inverse(known, 0.05);
    for (std::size_t sensor = 0; sensor < 200; ++sensor) {
      for (std::size_t k = 0; k < d; ++k) {
        for (std::size_t l = 0; l < d; ++l) {
          const double expected = inverse[(sensor * d + k) * 200 * d + sensor * d + l];
          const double size = inverse[(sensor * d + k) * 200 * d + sensor * d + k];
          EXPECT_NEAR(blocks[(sensor * d + k) * d + l], expected, 1e-8 * std::abs(size) + 1e-15)
              << dimension << " " << sensor;
        }
      }
    }
  }
}

TEST(CovarianceTest, IsNotANumberWhereTheRangesDetermineNoPosition) {
  const test::KnownNetwork whole = test::snl30_seed0();
  test::KnownNetwork known = whole;
  // One sensor with a single range, one on a line with its two references, one with none.
  known.truth.insert(known.truth.end(), {2, 2, 0.5 * (known.anchors[0] + known.anchors[2]),
                                         0.5 * (known.anchors[1] + known.anchors[3]), 3, 3});
  known.anchor_ranges.push_back({30, 0, 1});
  known.anchor_ranges.push_back({31, 0, 0.1});
  known.anchor_ranges.push_back({31, 1, 0.1});
  known.neighbors = {};
  const std::vector<double> blocks = covariances_of(known, {}, known.truth);
  const std::vector<double> without = covariances_of(whole, {}, whole.truth);
  for (std::size_t k = 0; k < without.size(); ++k) EXPECT_NEAR(blocks[k], without[k], 1e-12);
  for (std::size_t k = without.size(); k < blocks.size(); ++k) EXPECT_TRUE(std::isnan(blocks[k])) << k;
}

TEST(CovarianceTest, OutlyingRangesCountLessWithHubersLoss) {
  const test::KnownNetwork known = test::snl30_seed0();
  const std::vector<double> squares = covariances_of(known, {}, known.truth);
  const std::vector<double> huber = covariances_of(known, {.huber = 0.5}, known.truth);
  for (std::size_t k = 0; k < squares.size(); k += 4) {
    EXPECT_GT(huber[k] + huber[k + 3], squares[k] + squares[k + 3]);
  }
}

TEST(CovarianceTest, HasTheSameBitsWithEveryInstructionSet) {
  const auto known = test::random_network(2, 300, 20, 0.15, 0.05, 10);
  const std::vector<double> expected = covariances_of(known, {}, known.truth);
  test::for_each_instruction_set([&] {
    const std::vector<double> blocks = covariances_of(known, {}, known.truth);
    EXPECT_EQ(std::memcmp(blocks.data(), expected.data(), blocks.size() * sizeof(double)), 0);
  });
}

}  // namespace
}  // namespace lockstep::splitting

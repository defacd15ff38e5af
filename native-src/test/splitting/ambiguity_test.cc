#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <tuple>
#include <vector>

#include "measured_networks.h"
#include "sanitized.h"
#include "splitting/refinement/refinement.h"

namespace lockstep::splitting {
namespace {

using test::group_of_one;

TEST(AmbiguityTest, FlagsTheFlippedSensorWhicheverSideIsTheEstimate) {
  const test::KnownNetwork known = test::radar_20_8();
  std::vector<double> positions = known.truth;
  const Refinement near_truth = refine(*group_of_one(), known.network(), {}, positions);
  const auto ambiguous = find_ambiguous(*group_of_one(), known.network(), {}, positions);
  ASSERT_EQ(ambiguous.size(), 1U);
  EXPECT_EQ(ambiguous[0].sensor, 5);

  std::vector<double> flipped = positions;
  flipped[10] = ambiguous[0].alternative[0];
  flipped[11] = ambiguous[0].alternative[1];
  const Refinement twin = refine(*group_of_one(), known.network(), {}, flipped);
  EXPECT_NEAR(twin.cost, 35.79, 0.05);  // It fits slightly better, as the reference found.
  EXPECT_NEAR(std::sqrt(known.mean_squared_error(flipped)), 0.0750, 1e-4);
  // Up to the standard deviations, which stay those of the estimate.
  EXPECT_NEAR(ambiguous[0].cost_difference, twin.cost - near_truth.cost, 0.1);

  const auto back = find_ambiguous(*group_of_one(), known.network(), {}, flipped);
  ASSERT_EQ(back.size(), 1U);
  EXPECT_EQ(back[0].sensor, 5);
  EXPECT_NEAR(back[0].alternative[0], positions[10], 1e-3);
  EXPECT_NEAR(back[0].alternative[1], positions[11], 1e-3);
  EXPECT_NEAR(back[0].cost_difference, near_truth.cost - twin.cost, 0.1);
}

TEST(AmbiguityTest, FlagsNothingWhereManyRangesAgree) {
  const test::KnownNetwork known = test::snl30_seed0();
  std::vector<double> positions = known.truth;
  refine(*group_of_one(), known.network(), {}, positions);
  EXPECT_TRUE(find_ambiguous(*group_of_one(), known.network(), {}, positions).empty());
}

TEST(AmbiguityTest, ReflectsInThePlaneOfTheReferencesInThreeDimensions) {
  test::KnownNetwork known{3, {0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 1, 0}, {0.4, 0.3, 0.5}, {}, {}, {}};
  for (std::int32_t anchor = 0; anchor < 4; ++anchor) {
    const double* a = &known.anchors[3 * static_cast<std::size_t>(anchor)];
    known.anchor_ranges.push_back({0, anchor, std::hypot(a[0] - 0.4, a[1] - 0.3, a[2] - 0.5)});
  }
  const auto ambiguous = find_ambiguous(*group_of_one(), known.network(), {}, known.truth);
  ASSERT_EQ(ambiguous.size(), 1U);
  const std::vector<double> mirrored{0.4, 0.3, -0.5};
  for (std::size_t k = 0; k < 3; ++k) EXPECT_NEAR(ambiguous[0].alternative[k], mirrored[k], 1e-2);
  EXPECT_NEAR(ambiguous[0].cost_difference, 0, 0.01);
}

TEST(AmbiguityTest, FlagsEverySensorOfAGroupThatHangsOnAHinge) {
  // Sensors 0 and 1 are fixed, near the line x = 5; 2 to 5 have ranges to them and to each other only.
  test::KnownNetwork known{2, {0, 0, 0, 10, 3, 5, 1, 8}, {5, 2, 5, 8, 7, 3, 8, 5, 7, 7, 6, 5}, {}, {}, {}};
  auto apart = [&](const double* a, const double* b) { return std::hypot(a[0] - b[0], a[1] - b[1]); };
  for (std::int32_t first = 0; first < 6; ++first) {
    const double* a = &known.truth[2 * static_cast<std::size_t>(first)];
    for (std::int32_t second = first + 1; second < 6; ++second) {
      known.sensor_ranges.push_back(
          {first, second, apart(a, &known.truth[2 * static_cast<std::size_t>(second)])});
    }
    for (std::int32_t anchor = 0; first < 2 && anchor < 4; ++anchor) {
      known.anchor_ranges.push_back(
          {first, anchor, apart(a, &known.anchors[2 * static_cast<std::size_t>(anchor)])});
    }
  }
  const auto ambiguous =
      find_ambiguous(*group_of_one(), known.network(), {.noise_factor = 0.02}, known.truth);
  ASSERT_EQ(ambiguous.size(), 4U);
  for (std::size_t k = 0; k < 4; ++k) {
    const double* truth = &known.truth[2 * (k + 2)];
    EXPECT_EQ(ambiguous[k].sensor, static_cast<std::int32_t>(k) + 2);
    EXPECT_NEAR(ambiguous[k].alternative[0], 10 - truth[0], 1e-3);
    EXPECT_NEAR(ambiguous[k].alternative[1], truth[1], 1e-3);
    EXPECT_NEAR(ambiguous[k].cost_difference, 0, 1e-3);
  }
}

/// All that find_ambiguous() tells, bit by bit.
auto told(const std::vector<Ambiguity>& ambiguous) {
  std::vector<std::tuple<std::int32_t, std::vector<double>, double>> told;
  for (const Ambiguity& each : ambiguous)
    told.emplace_back(each.sensor, each.alternative, each.cost_difference);
  return told;
}

/// Networks of more than 400 sensors are looked at ball by ball, and ranks share out the mirrors: which of a
/// group's mirrors is kept must not depend on who found it.
TEST(AmbiguityTest, TellsTheSameBitsOfHundredsOfSensorsOnAnyNumberOfRanks) {
  if (test::IS_SANITIZED)
    GTEST_SKIP() << "takes minutes under a sanitizer; fold_search_test does the same with few";
  for (const int sensors : {270, 410}) {
    const double reach = 1.5 / std::sqrt(sensors);
    const test::KnownNetwork known = test::random_network(2, sensors, sensors / 15, reach, 0.1, 5);
    const RefinementOptions options{.noise_factor = 0.1};
    const auto alone = told(find_ambiguous(*group_of_one(), known.network(), options, known.truth));
    std::vector<double> differences;
    for (const auto& each : alone) differences.push_back(std::get<double>(each));
    std::sort(differences.begin(), differences.end());
    EXPECT_NE(std::adjacent_find(differences.begin(), differences.end()), differences.end())
        << "no group is mirrored in this network";
    for (const int ranks : {2, 3}) {
      test::run_with_communicators(ranks, Tuning{}, test::PATIENCE, [&](Communicator& group) {
        EXPECT_EQ(told(find_ambiguous(group, known.network(), options, known.truth)), alone)
            << sensors << " sensors on " << ranks << " ranks";
      });
    }
  }
}

}  // namespace
}  // namespace lockstep::splitting

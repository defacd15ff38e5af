#include "lockstep/localization.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "lockstep/communicator.h"
#include "networks.h"
#include "ranks.h"
#include "sanitized.h"

namespace lockstep {
namespace {

using test::error_of;

template <typename T>
std::int64_t address_of(std::vector<T>& values) {
  return reinterpret_cast<std::int64_t>(values.data());
}

/// The arrays that Java hands over, for tests to change.
struct Arrays {
  explicit Arrays(const test::KnownNetwork& known) : dimension(known.dimension), sensors(known.sensors()) {
    anchors = known.anchors;
    for (const auto& range : known.sensor_ranges) {
      sensor_pairs.insert(sensor_pairs.end(), {range.first, range.second});
      sensor_distances.push_back(range.range);
    }
    for (const auto& range : known.anchor_ranges) {
      anchor_pairs.insert(anchor_pairs.end(), {range.sensor, range.anchor});
      anchor_distances.push_back(range.range);
    }
  }

  std::int64_t open(std::int64_t communicator) {
    return open_localizer(communicator, dimension, sensors,
                          static_cast<std::int64_t>(anchors.size()) / dimension, address_of(anchors),
                          static_cast<std::int64_t>(sensor_distances.size()), address_of(sensor_pairs),
                          address_of(sensor_distances), 0, static_cast<std::int64_t>(anchor_distances.size()),
                          address_of(anchor_pairs), address_of(anchor_distances), 0, address_of(offsets),
                          address_of(neighbors), 7);
  }

  std::int32_t dimension;
  std::int64_t sensors;
  std::vector<double> anchors;
  std::vector<std::int32_t> sensor_pairs;
  std::vector<double> sensor_distances;
  std::vector<std::int32_t> anchor_pairs;
  std::vector<double> anchor_distances;
  std::vector<std::int64_t> offsets;
  std::vector<std::int32_t> neighbors;
};

class LocalizationTest : public ::testing::Test {
 protected:
  ~LocalizationTest() override {
    close_localizer(localizer);
    close_communicator(group);
  }

  void start(std::int32_t form, std::int64_t positions = 0) {
    start_localizer(localizer, form, 1, 0, 0.999, 10, 0, false, 0, positions);
  }

  test::KnownNetwork known = test::radar_20_8();
  Arrays arrays{known};
  std::int64_t group = open_single();
  std::int64_t localizer = arrays.open(group);
  std::vector<double> progress = std::vector<double>(4);
  std::vector<double> positions = std::vector<double>(40);
};

void expect_refused(const std::function<void()>& call, const std::string& part) {
  const Error error = error_of(call);
  EXPECT_EQ(error.code(), ErrorCode::INVALID_ARGUMENT);
  EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
}

TEST_F(LocalizationTest, GoesFromRangesToAnEstimateWithItsErrors) {
  for (const std::int32_t form : {0, 1}) {
    start(form);
    advance_localizer(localizer, 500, address_of(progress));
    EXPECT_EQ(progress[0], 500);
    EXPECT_EQ(progress[3], 0);
    read_positions(localizer, address_of(positions));
    EXPECT_LE(std::sqrt(known.mean_squared_error(positions)), 0.055);
    EXPECT_LT(read_mean_objective(localizer), 3);
  }
  std::vector<double> summary(3);
  refine_positions(localizer, 0.05, 0, 100, 1e-9, true, address_of(positions), address_of(summary));
  EXPECT_EQ(summary[2], 1);
  std::vector<double> covariances(80);
  read_covariances(localizer, 0.05, 0, address_of(positions), address_of(covariances));
  EXPECT_GT(covariances[0], 0);
  std::vector<std::int32_t> sensors(1);
  std::vector<double> alternatives(2);
  std::vector<double> differences(1);
  EXPECT_GE(find_ambiguous_sensors(localizer, 0.05, 0, address_of(positions), 1, address_of(sensors),
                                   address_of(alternatives), address_of(differences)),
            1);
}

TEST_F(LocalizationTest, DoesNotDependOnTheUnitOfLengthNorOnTheOrigin) {
  constexpr double METRES = 4096;
  const std::vector<double> origin{-600000, 5200000};
  Arrays far{known};
  for (std::size_t k = 0; k < far.anchors.size(); ++k)
    far.anchors[k] = far.anchors[k] * METRES + origin[k % 2];
  for (auto* distances : {&far.sensor_distances, &far.anchor_distances}) {
    for (double& distance : *distances) distance *= METRES;
  }
  close_localizer(localizer);
  localizer = far.open(group);
  start(0);
  advance_localizer(localizer, 500, address_of(progress));
  read_positions(localizer, address_of(positions));
  EXPECT_LT(read_mean_objective(localizer), 3 * METRES * METRES);
  std::vector<double> near(positions);
  for (std::size_t k = 0; k < near.size(); ++k) near[k] = (near[k] - origin[k % 2]) / METRES;
  EXPECT_LE(std::sqrt(known.mean_squared_error(near)), 0.055);
  start(0, address_of(positions));
  std::vector<double> again(40);
  read_positions(localizer, address_of(again));
  for (std::size_t k = 0; k < again.size(); ++k) EXPECT_NEAR(again[k], positions[k], 1e-6);
}

TEST_F(LocalizationTest, TheRelaxationOfExactRangesHasTheRankOfSpaceAndThatOfNoisyOnesHasNot) {
  if (test::HAS_THREAD_SANITIZER) GTEST_SKIP() << "takes a minute under ThreadSanitizer, with one thread";
  const auto largest = [&](std::int32_t form, int iterations) {
    start(form);
    advance_localizer(localizer, iterations, address_of(progress));
    std::vector<double> excess(20);
    read_relaxation_excess(localizer, address_of(excess));
    return std::abs(*std::max_element(excess.begin(), excess.end(),
                                      [](double a, double b) { return std::abs(a) < std::abs(b); }));
  };
  EXPECT_GT(largest(0, 2000), 1e-2);
  EXPECT_GT(largest(1, 500), 1e-2);
  // Exact ranges.
  for (auto* distances : {&arrays.sensor_distances, &arrays.anchor_distances}) distances->clear();
  const auto distance = [](const double* a, const double* b) { return std::hypot(a[0] - b[0], a[1] - b[1]); };
  for (const auto& range : known.sensor_ranges) {
    arrays.sensor_distances.push_back(
        distance(&known.truth[2U * range.first], &known.truth[2U * range.second]));
  }
  for (const auto& range : known.anchor_ranges) {
    arrays.anchor_distances.push_back(
        distance(&known.truth[2U * range.sensor], &known.anchors[2U * range.anchor]));
  }
  close_localizer(localizer);
  localizer = arrays.open(group);
  EXPECT_LT(largest(0, 20000), 1e-6);
}

/// A cube with its corners as anchors, sensors inside, and every distance below 0.75, exact.
test::KnownNetwork exact_cube() {
  test::KnownNetwork cube;
  cube.dimension = 3;
  for (int corner = 0; corner < 8; ++corner) {
    for (int c = 0; c < 3; ++c) cube.anchors.push_back(corner >> c & 1);
  }
  std::mt19937_64 random(5);
  for (int k = 0; k < 60; ++k) cube.truth.push_back(static_cast<double>(random() % 10000) / 10000);
  const auto distance = [&](const double* a, const double* b) {
    return std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
  };
  for (std::int32_t i = 0; i < 20; ++i) {
    for (std::int32_t j = i + 1; j < 20; ++j) {
      const double range = distance(&cube.truth[3U * i], &cube.truth[3U * j]);
      if (range < 0.75) cube.sensor_ranges.push_back({i, j, range});
    }
    for (std::int32_t k = 0; k < 8; ++k) {
      const double range = distance(&cube.truth[3U * i], &cube.anchors[3U * k]);
      if (range < 0.75) cube.anchor_ranges.push_back({i, k, range});
    }
  }
  return cube;
}

TEST_F(LocalizationTest, RecoversExactRangesInThreeDimensions) {
  const test::KnownNetwork cube = exact_cube();
  Arrays exact{cube};
  close_localizer(localizer);
  localizer = exact.open(group);
  start(0);
  advance_localizer(localizer, 300, address_of(progress));
  std::vector<double> estimate(60);
  std::vector<double> summary(3);
  read_positions(localizer, address_of(estimate));
  EXPECT_LT(std::sqrt(cube.mean_squared_error(estimate)), 0.1);
  refine_positions(localizer, 0.05, 0, 100, 1e-12, true, address_of(estimate), address_of(summary));
  EXPECT_LT(std::sqrt(cube.mean_squared_error(estimate)), 1e-6);
}

TEST_F(LocalizationTest, RefusesNetworksThatCannotBeRead) {
  const auto refuses = [&](auto change, const std::string& part) {
    Arrays changed{known};
    change(changed);
    expect_refused([&] { changed.open(group); }, part);
  };
  refuses([](Arrays& a) { a.dimension = 4; }, "dimension = 4");
  refuses([](Arrays& a) { a.sensors = -1; }, "sensors = -1");
  refuses([](Arrays& a) { a.sensors = std::int64_t{1} << 40; }, "sensors = ");
  refuses([](Arrays& a) { a.sensor_pairs[0] = 20; }, "unknown sensor 20");
  refuses([](Arrays& a) { a.anchor_distances[3] = -1; }, "sensor 1 and anchor");
  refuses([](Arrays& a) { a.offsets.assign(21, 5); }, "neighbor_offsets = 5 at 0");
  refuses(
      [](Arrays& a) {
        a.offsets.assign(21, 5);
        a.offsets[0] = 0;
        a.offsets[9] = 4;
      },
      "must start with 0 and never fall");
  refuses(
      [](Arrays& a) {
        a.offsets.assign(21, std::numeric_limits<std::int32_t>::max());
        a.offsets[0] = 0;
      },
      "neighbors = 0");
  expect_refused([&] { open_localizer(group, 2, 20, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7); },
                 "anchor_positions = 0");
}

TEST_F(LocalizationTest, RefusesCallsThatCannotWork) {
  expect_refused([&] { advance_localizer(localizer, 1, address_of(progress)); }, "start_localizer() first");
  expect_refused([&] { start(2); }, "form = 2");
  expect_refused([&] { start_localizer(localizer, 0, 3, 0, 0.9, 10, 0, false, 0, 0); }, "design = 3");
  expect_refused([&] { start_localizer(localizer, 0, 1, -1, 0.9, 10, 0, false, 0, 0); }, "prox = -1");
  expect_refused([&] { start_localizer(localizer, 0, 1, 0, 1, 10, 0, false, 0, 0); }, "gamma");
  expect_refused([&] { start_localizer(localizer, 1, 2, 0, 0.9, 10, 0, false, 0, 0); }, "user_weights = 0");
  positions[5] = std::nan("");
  expect_refused([&] { start(0, address_of(positions)); }, "a coordinate in positions = nan");
  positions[5] = 0;
  start(0);
  expect_refused([&] { advance_localizer(localizer, -1, address_of(progress)); }, "iterations = -1");
  expect_refused([&] { advance_localizer(localizer, 1, 0); }, "progress = 0");
  expect_refused([&] { read_positions(localizer, 0); }, "positions = 0");
  expect_refused([&] { read_relaxation_excess(localizer, 0); }, "excess = 0");
  expect_refused([&] { read_covariances(localizer, 0, 0, address_of(positions), address_of(positions)); },
                 "noise_factor is 0");
}

TEST_F(LocalizationTest, GoesOnWithAnotherNetwork) {
  start(0);
  advance_localizer(localizer, 300, address_of(progress));
  read_positions(localizer, address_of(positions));
  std::vector<std::int32_t> kept(20);
  for (std::int32_t i = 0; i < 20; ++i) kept[static_cast<std::size_t>(i)] = i;
  const auto replace = [&] {
    replace_network(localizer, arrays.sensors, 8, address_of(arrays.anchors), 58,
                    address_of(arrays.sensor_pairs), address_of(arrays.sensor_distances), 0, 47,
                    address_of(arrays.anchor_pairs), address_of(arrays.anchor_distances), 0, 0, 0, 7,
                    address_of(kept), address_of(positions));
  };
  for (double& distance : arrays.sensor_distances) distance *= 1.001;
  replace();
  advance_localizer(localizer, 50, address_of(progress));
  read_positions(localizer, address_of(positions));
  EXPECT_LE(std::sqrt(known.mean_squared_error(positions)), 0.06);
  kept[3] = 4;
  expect_refused(replace, "kept = 4 at 4");
  kept[3] = 20;
  expect_refused(replace, "kept = 20 at 3");
}

TEST_F(LocalizationTest, OutlivesItsGroupsHandleAndSaysThatItIsClosed) {
  start(0);
  close_communicator(group);
  close_localizer(localizer);
  close_localizer(localizer);
  EXPECT_EQ(error_of([&] { read_positions(localizer, address_of(positions)); }).code(), ErrorCode::CLOSED);
  expect_refused([&] { read_positions(12345, address_of(positions)); }, "No localizer has handle 12345");
}

}  // namespace
}  // namespace lockstep

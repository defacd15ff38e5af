#include "splitting/network/network.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <utility>

#include "ranks.h"

namespace lockstep::splitting {
namespace {

using test::error_of;

/// Three anchors; sensors 0 to 3 have a range to each of them, and to each other.
Network four_sensors() {
  Network network;
  network.sensors = 4;
  network.anchor_positions = {0, 0, 1, 0, 0, 1};
  for (std::int32_t i = 0; i < 4; ++i) {
    for (std::int32_t k = 0; k < 3; ++k) network.anchor_ranges.push_back({i, k, 0.5 + 0.1 * i});
    for (std::int32_t j = i + 1; j < 4; ++j) network.sensor_ranges.push_back({i, j, 0.1 * (i + j)});
  }
  return network;
}

/// What checked() says about four_sensors() after a change.
std::string complaint_after(const std::function<void(Network&)>& change) {
  Network network = four_sensors();
  change(network);
  const Error error = error_of([&] { checked(std::move(network), 7); });
  EXPECT_EQ(error.code(), ErrorCode::INVALID_ARGUMENT);
  return error.what();
}

void expect_says(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST(NetworkTest, SortsRangesAndMergesThoseGivenInBothDirections) {
  Network network = four_sensors();
  network.sensor_ranges.insert(network.sensor_ranges.begin(), {3, 1, 0.4});
  const Network result = checked(std::move(network), 7);
  ASSERT_EQ(result.sensor_ranges.size(), 6U);
  EXPECT_EQ(result.sensor_ranges[4].first, 1);
  EXPECT_EQ(result.sensor_ranges[4].second, 3);
  EXPECT_EQ(result.neighbors_of(2).size(), 3U);
}

TEST(NetworkTest, NamesWhatIsUnknown) {
  expect_says(complaint_after([](Network& n) {
                n.sensor_ranges.push_back({0, 4, 1});
              }),
              "names the unknown sensor 4; sensors are numbered from 0 to 3.");
  expect_says(complaint_after([](Network& n) {
                n.anchor_ranges.push_back({-1, 0, 1});
              }),
              "the unknown sensor -1");
  expect_says(complaint_after([](Network& n) {
                n.anchor_ranges.push_back({0, 3, 1});
              }),
              "the unknown anchor 3; anchors are numbered from 0 to 2.");
}

TEST(NetworkTest, NamesRangesThatAreNoDistance) {
  for (const double range : {-0.5, std::nan(""), std::numeric_limits<double>::infinity(), 1e80}) {
    expect_says(complaint_after([&](Network& n) { n.sensor_ranges[4].range = range; }),
                "the range between sensor 1 and sensor 3 is ");
    expect_says(complaint_after([&](Network& n) { n.anchor_ranges[4].range = range; }),
                "the range between sensor 1 and anchor 1 is ");
  }
}

TEST(NetworkTest, NamesPairsGivenTwiceWithAnotherValueAndSelfLoops) {
  expect_says(complaint_after([](Network& n) {
                n.sensor_ranges.push_back({3, 1, 0.25});
              }),
              "between sensor 1 and sensor 3 is given twice with different values");
  expect_says(complaint_after([](Network& n) {
                n.anchor_ranges.push_back({2, 1, 0.25});
              }),
              "between sensor 2 and anchor 1 is given twice");
  expect_says(complaint_after([](Network& n) {
                n.sensor_ranges.push_back({2, 2, 0});
              }),
              "sensor 2 has a range to itself");
}

TEST(NetworkTest, AsksForOneAnchorMoreThanDimensions) {
  expect_says(complaint_after([](Network& n) {
                n.anchor_positions.resize(4);
                std::erase_if(n.anchor_ranges, [](const AnchorRange& range) { return range.anchor == 2; });
              }),
              "too few anchors, 2, and 2 dimensions need at least 3");
  expect_says(complaint_after([](Network& n) {
                std::erase_if(n.anchor_ranges, [](const AnchorRange& range) { return range.anchor == 2; });
              }),
              "only 2 of the anchors, and at least 3 are needed");
  expect_says(complaint_after([](Network& n) { n.anchor_positions[3] = std::nan(""); }),
              "a coordinate of anchor 1 is nan");
}

TEST(NetworkTest, NamesADisconnectedPart) {
  const std::string text = complaint_after([](Network& n) {
    n.sensors = 9;
    for (std::int32_t i = 4; i < 9; ++i) {
      for (std::int32_t j = i + 1; j < 9; ++j) n.sensor_ranges.push_back({i, j, 1});
    }
    n.anchor_ranges.push_back({5, 0, 1});
  });
  expect_says(text, "sensors 4, 5, 6, 7 and 8 (5 in all) form a disconnected part");
  expect_says(text, "only 1 of the anchors");
}

TEST(NetworkTest, NamesTheFirstOfManySensorsWithTooFewReferences) {
  const std::string text = complaint_after([](Network& n) {
    n.sensors = 104;  // a chain that hangs on sensor 3: its end moves freely, so all of it does
    for (std::int32_t i = 4; i < 104; ++i) n.sensor_ranges.push_back({i - 1, i, 1});
  });
  expect_says(text, "sensors 4, 5, 6, 7, 8 and 95 more have too few references");
  expect_says(complaint_after([](Network& n) { ++n.sensors; }), "sensor 4 has too few references");
}

TEST(NetworkTest, AcceptsASensorWithAMirrorImage) {
  Network network = four_sensors();
  network.sensors = 5;
  network.sensor_ranges.push_back({0, 4, 1});
  network.sensor_ranges.push_back({1, 4, 1});
  EXPECT_EQ(checked(std::move(network), 7).neighbors_of(4).size(), 2U);
}

TEST(NetworkTest, ChecksNeighborsThatAreGiven) {
  const auto lists = [](std::vector<std::int32_t> of_first) {
    return [=](Network& n) {
      const auto count = static_cast<std::int64_t>(of_first.size());
      n.neighbor_offsets = {0, count, count, count, count};
      n.neighbors = of_first;
      n.sensor_ranges.erase(n.sensor_ranges.begin());  // between 0 and 1
    };
  };
  expect_says(complaint_after(lists({2, 9})), "list of sensor 0 names the unknown sensor 9");
  expect_says(complaint_after(lists({0})), "names that sensor itself");
  expect_says(complaint_after(lists({3, 2, 3})), "names sensor 3 twice");
  expect_says(complaint_after(lists({1})), "names sensor 1, to which it has no range");
  expect_says(complaint_after([](Network& n) {
                n.neighbor_offsets = {0, 3, 1, 1, 1};
              }),
              "do not fit together");
  Network network = four_sensors();
  lists({3, 2})(network);
  EXPECT_EQ(checked(std::move(network), 7).neighbors, (std::vector<std::int32_t>{2, 3}));
}

TEST(NetworkTest, ChosenNeighborsConnectWhatRangesConnect) {
  // Two tight groups of ten sensors and one long range between them, which no list of the nearest would hold.
  Network network;
  network.sensors = 20;
  network.anchor_positions = {0, 0, 1, 0, 0, 1};
  for (std::int32_t i = 0; i < 20; ++i) {
    for (std::int32_t k = 0; k < 3; ++k) network.anchor_ranges.push_back({i, k, 1});
    for (std::int32_t j = i + 1; j < (i < 10 ? 10 : 20); ++j) network.sensor_ranges.push_back({i, j, 0.1});
  }
  network.sensor_ranges.push_back({4, 14, 5});
  const Network result = checked(std::move(network), 3);
  bool crosses = false;
  for (std::int32_t i = 0; i < 20; ++i) {
    EXPECT_EQ(result.neighbors_of(i).size(), 3U) << i;
    for (const std::int32_t j : result.neighbors_of(i)) crosses |= (i < 10) != (j < 10);
  }
  EXPECT_TRUE(crosses);
}

TEST(NetworkTest, ChecksTwentyThousandSensorsInNoTime) {
  constexpr std::int32_t SENSORS = 20000;
  Network network;
  network.sensors = SENSORS;
  network.anchor_positions = {0, 0, 1, 0, 0, 1};
  std::mt19937_64 random(7);
  for (std::int32_t i = 0; i < SENSORS; ++i) {
    for (std::int32_t j = 1; j <= 5; ++j) {
      network.sensor_ranges.push_back({i, (i + j) % SENSORS, static_cast<double>(random() % 1000)});
    }
    for (std::int32_t k = 0; k < 3; ++k) network.anchor_ranges.push_back({i, k, 1});
  }
  const auto begin = std::chrono::steady_clock::now();
  const Network result = checked(std::move(network), 7);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  EXPECT_EQ(result.neighbors.size(), 7U * SENSORS);
}

}  // namespace
}  // namespace lockstep::splitting

#include <gtest/gtest.h>

#include <numeric>
#include <string>
#include <vector>

#include "networks.h"
#include "ranks.h"
#include "sparse_runs.h"

namespace lockstep::splitting {
namespace {

std::vector<std::int32_t> all_kept(std::int32_t sensors) {
  std::vector<std::int32_t> kept(static_cast<std::size_t>(sensors));
  std::iota(kept.begin(), kept.end(), 0);
  return kept;
}

/// Runs on `before`, goes on with `after` from the last positions, and lets newcomers start at the truth.
test::Outcome go_on(std::shared_ptr<Communicator> group, const Network& before,
                    const test::KnownNetwork& after, const std::vector<std::int32_t>& kept, int iterations) {
  const bool alone = group->size() == 1;
  SparseSplitting splitting(std::move(group), before, {});
  splitting.advance(200);
  std::vector<double> last(static_cast<std::size_t>(before.sensors) * 2);
  splitting.positions(last);
  std::vector<double> positions = after.truth;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (kept[i] < 0) continue;
    for (std::size_t c = 0; c < 2; ++c)
      positions[2 * i + c] = last[2 * static_cast<std::size_t>(kept[i]) + c];
  }
  splitting.replace(checked(after.network(), 7), kept, positions);
  if (alone) {
    EXPECT_LT(test::largest_imbalance(splitting), 1e-11);
  }
  const Progress progress = splitting.advance(iterations);
  test::Outcome result{positions, progress.objective, progress.residual, splitting.mean_objective()};
  splitting.positions(result.positions);
  return result;
}

TEST(SparseStreamingTest, GoesOnAsIfNothingHadHappenedWhereNothingChanges) {
  const test::KnownNetwork known = test::snl30_seed0();
  const Network network = checked(known.network(), 7);
  const test::Outcome expected = test::run(test::group_of(0, 1), network, {}, 250);
  const test::Outcome found = go_on(test::group_of(0, 1), network, known, all_kept(30), 50);
  EXPECT_NEAR(found.objective, expected.objective, 1e-9);
  for (std::size_t i = 0; i < expected.positions.size(); ++i) {
    EXPECT_NEAR(found.positions[i], expected.positions[i], 1e-9);
  }
}

/// Without sensor 4, with the neighbours chosen anew.
test::KnownNetwork without_sensor_4() {
  test::KnownNetwork known = test::snl30_seed0();
  const auto renamed = [](std::int32_t sensor) { return sensor < 4 ? sensor : sensor - 1; };
  std::erase_if(known.sensor_ranges, [](const auto& range) { return range.first == 4 || range.second == 4; });
  std::erase_if(known.anchor_ranges, [](const auto& range) { return range.sensor == 4; });
  for (auto& range : known.sensor_ranges) range = {renamed(range.first), renamed(range.second), range.range};
  for (auto& range : known.anchor_ranges) range.sensor = renamed(range.sensor);
  known.truth.erase(known.truth.begin() + 8, known.truth.begin() + 10);
  known.neighbors.clear();
  return known;
}

TEST(SparseStreamingTest, LetsSensorsJoinAndLeaveAndEndsWhereAColdStartEnds) {
  const test::KnownNetwork all = test::snl30_seed0(), fewer = without_sensor_4();
  const Network all_checked = checked(all.network(), 7), fewer_checked = checked(fewer.network(), 7);
  std::vector<std::int32_t> left = all_kept(29), joined = all_kept(30);
  for (std::size_t i = 4; i < left.size(); ++i) ++left[i];
  for (std::size_t i = 4; i < joined.size(); ++i) --joined[i];
  joined[4] = -1;

  const test::Outcome without = go_on(test::group_of(0, 1), all_checked, fewer, left, 600);
  EXPECT_NEAR(without.mean_objective, test::run(test::group_of(0, 1), fewer_checked, {}, 600).mean_objective,
              0.05);
  const test::Outcome with = go_on(test::group_of(0, 1), fewer_checked, all, joined, 600);
  EXPECT_NEAR(with.mean_objective, 3.9, 0.15);
  const test::Outcome alone = go_on(test::group_of(0, 1), fewer_checked, all, joined, 30);
  test::run_as_ranks(
      3, [&](int rank) { EXPECT_EQ(go_on(test::group_of(rank, 3), fewer_checked, all, joined, 30), alone); });
}

TEST(SparseStreamingTest, RefusesEarlierNumbersThatCannotBe) {
  const test::KnownNetwork known = test::snl30_seed0();
  const Network network = checked(known.network(), 7);
  SparseSplitting splitting(test::group_of(0, 1), network, {});
  std::vector<std::int32_t> kept = all_kept(30);
  kept[3] = 7;
  const Error twice = test::error_of([&] { splitting.replace(network, kept, known.truth); });
  EXPECT_NE(std::string(twice.what()).find("sensor 7 was 7 before, and so was sensor 3"), std::string::npos)
      << twice.what();
  kept[3] = 30;
  EXPECT_EQ(test::error_of([&] { splitting.replace(network, kept, known.truth); }).code(),
            ErrorCode::INVALID_ARGUMENT);
  kept.pop_back();
  EXPECT_EQ(test::error_of([&] { splitting.replace(network, kept, known.truth); }).code(),
            ErrorCode::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace lockstep::splitting

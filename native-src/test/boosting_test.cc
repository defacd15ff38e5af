#include "learning/trees/boosting.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <mutex>
#include <vector>

#include "instruction_sets.h"
#include "learning/trees/tree_run.h"
#include "ranks.h"
#include "tree_problem.h"

namespace lockstep {
namespace {

using learning::BoostingOptions;
using learning::Objective;
using learning::TreeRun;
using test::categorical;
using test::FEATURES;
using test::placement;
using test::Problem;
using test::problem;
using test::ROWS;
using test::rows_of;

struct Fitted {
  std::vector<std::vector<double>> trees;
  std::vector<double> losses;
  bool operator==(const Fitted&) const = default;
};

BoostingOptions options_of(Objective objective) {
  BoostingOptions options;
  options.objective = objective;
  options.classes = objective == Objective::MULTICLASS ? 4 : 1;
  options.seed = 5;
  options.bagging_fraction = 0.8;
  options.tree.num_leaves = 12;
  options.tree.feature_fraction = 0.9;
  options.tree.feature_fraction_bynode = 0.8;
  return options;
}

Fitted fit(TreeRun& run, const BoostingOptions& options, int rounds) {
  run.start(options);
  Fitted fitted;
  for (int round = 0; round < rounds; ++round) {
    const learning::BoostingLoss loss = run.round(round);
    fitted.losses.push_back(loss.training);
    fitted.losses.push_back(loss.validation);
  }
  for (std::int64_t tree = 0; tree < run.trees(); ++tree)
    fitted.trees.push_back(run.encoded(static_cast<std::size_t>(tree)));
  if (options.objective == Objective::BINARY) fitted.losses.push_back(run.area_under_curve());
  return fitted;
}

Fitted fit_on(int ranks, unsigned seed, const BoostingOptions& options, std::int32_t max_bins) {
  const Problem whole = problem(options.objective);
  const auto placed = placement(ROWS, static_cast<std::size_t>(ranks), seed);
  Fitted fitted;
  std::mutex mutex;
  test::run_with_communicators(ranks, Tuning{}, test::PATIENCE, [&](Communicator& communicator) {
    const auto& own = placed[static_cast<std::size_t>(communicator.rank())];
    std::vector<double> weights;
    for (const std::size_t row : own) weights.push_back(0.5 + static_cast<double>(row / 10 % 3));
    TreeRun run(std::shared_ptr<Communicator>(&communicator, [](Communicator*) {}),
                rows_of(whole.values, FEATURES, own), FEATURES, rows_of(whole.target, 1, own), weights,
                categorical(), max_bins, 0.25, 3);
    const Fitted result = fit(run, options, 4);
    std::lock_guard lock(mutex);
    if (fitted.trees.empty()) fitted = result;
    EXPECT_EQ(result.trees, fitted.trees) << "rank " << communicator.rank();
  });
  return fitted;
}

TEST(Boosting, HasTheSameBitsOnAnyNumberOfRanksAndAnyPlacementOfRows) {
  for (const Objective objective : {Objective::REGRESSION, Objective::BINARY, Objective::MULTICLASS}) {
    for (const bool depth_wise : {false, true}) {
      BoostingOptions options = options_of(objective);
      options.tree.depth_wise = depth_wise;
      const Fitted expected = fit_on(1, 1, options, 63);
      EXPECT_GT(expected.trees[0].size(), 20u);
      for (const int ranks : {1, 2, 3, 4, 5}) {
        SCOPED_TRACE(testing::Message() << ranks << " ranks, objective " << static_cast<int>(objective));
        const Fitted found = fit_on(ranks, static_cast<unsigned>(70 + ranks), options, 63);
        EXPECT_EQ(found.trees, expected.trees);
        EXPECT_EQ(found.losses, expected.losses);
      }
    }
  }
}

TEST(Boosting, HasTheSameBitsOnEveryInstructionSet) {
  const Fitted expected = fit_on(1, 1, options_of(Objective::BINARY), 255);
  test::for_each_instruction_set(
      [&] { EXPECT_EQ(fit_on(2, 9, options_of(Objective::BINARY), 255), expected); });
}

/// All rows on one rank.
TreeRun alone(const Problem& whole, double validation = 0, std::int32_t max_bins = 255) {
  return TreeRun(nullptr, whole.values, whole.values.size() / whole.target.size(), whole.target, {},
                 std::vector<char>(whole.values.size() / whole.target.size(), 0), max_bins, validation, 1);
}

TEST(Boosting, OneStumpIsTheBestSplitOfTheLeastSquares) {
  // By hand: the means of {1, 2} and {10, 12} around 6.25.
  const Problem whole{{1, 2, 3, 4}, {1, 2, 10, 12}};
  TreeRun run = alone(whole);
  BoostingOptions options;
  options.learning_rate = 1;
  options.tree.num_leaves = 2;
  options.tree.min_data_in_leaf = 1;
  const Fitted fitted = fit(run, options, 1);
  EXPECT_NEAR(run.initial()[0], 6.25, 1e-12);
  const std::vector<double>& tree = fitted.trees[0];
  ASSERT_EQ(tree.size(), 2u + 9 + 4);
  EXPECT_EQ(tree[2], 0);    // feature
  EXPECT_EQ(tree[3], 2.5);  // halfway
  EXPECT_NEAR(tree[11], 1.5 - 6.25, 1e-7);
  EXPECT_NEAR(tree[13], 11 - 6.25, 1e-7);
  EXPECT_EQ(tree[12], 2);
  EXPECT_NEAR(tree[8], 2 * 4.75 * 4.75 + 2 * 4.75 * 4.75, 1e-5);  // the gain
  EXPECT_NEAR(fitted.losses[0], (0.25 + 0.25 + 1 + 1) / 4, 1e-7);
}

TEST(Boosting, SendsMissingValuesWhereTheyFit) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Problem whole{{1, 2, nan, nan, 5, 6}, {0, 0, 0, 0, 9, 9}};
  TreeRun run = alone(whole);
  BoostingOptions options;
  options.learning_rate = 1;
  options.tree.num_leaves = 2;
  options.tree.min_data_in_leaf = 1;
  const Fitted fitted = fit(run, options, 1);
  EXPECT_EQ(fitted.trees[0][7], 1) << "missing goes left, where the target is 0";
  EXPECT_NEAR(fitted.losses[0], 0, 1e-10);
}

/// The thresholds of a tree's nodes, in the order in which they were split.
std::vector<double> thresholds_of(const std::vector<double>& tree) {
  std::vector<double> thresholds;
  for (std::size_t node = 0; node < static_cast<std::size_t>(tree[0]); ++node)
    thresholds.push_back(tree[2 + 9 * node + 1]);
  return thresholds;
}

TEST(Boosting, LeafWiseSplitsWhatGainsMostAndDepthWiseALevelFirst) {
  // After the root, each split of the left half brings more than the one of the right half.
  const Problem whole{{1, 2, 3, 4, 5, 6, 7, 8}, {0, 40, 60, 100, 1000, 1001, 1002, 1003}};
  BoostingOptions options;
  options.tree.num_leaves = 4;
  options.tree.min_data_in_leaf = 1;
  TreeRun run = alone(whole);
  EXPECT_EQ(thresholds_of(fit(run, options, 1).trees[0]), (std::vector<double>{4.5, 2.5, 1.5}));
  options.tree.depth_wise = true;
  EXPECT_EQ(thresholds_of(fit(run, options, 1).trees[0]), (std::vector<double>{4.5, 2.5, 6.5}));
  options.tree.max_depth = 1;
  EXPECT_EQ(thresholds_of(fit(run, options, 1).trees[0]), (std::vector<double>{4.5}));
}

TEST(Boosting, OneSplitTakesCategoriesApartByTheirMeans) {
  Problem whole;
  for (int i = 0; i < 24; ++i) {
    whole.values.push_back(i % 6);
    whole.target.push_back(i % 2 == 0 ? 5 : 0);
  }
  BoostingOptions options;
  options.learning_rate = 1;
  options.tree.num_leaves = 2;
  options.tree.min_data_in_leaf = 1;
  options.tree.cat_smooth = options.tree.cat_l2 = 0;
  TreeRun numbers = alone(whole);
  EXPECT_GT(fit(numbers, options, 1).losses[0], 1) << "no threshold does it";
  TreeRun run(nullptr, whole.values, 1, whole.target, {}, {1}, 255, 0, 1);
  const Fitted fitted = fit(run, options, 1);
  const std::vector<double>& tree = fitted.trees[0];
  ASSERT_EQ(tree[10], 3) << "codes that go left";
  EXPECT_EQ(std::vector<double>(tree.begin() + 11, tree.begin() + 14), (std::vector<double>{0, 2, 4}));
  EXPECT_NEAR(fitted.losses[0], 0, 1e-10);
}

TEST(Boosting, GoesOnFromTreesOfAnEarlierRunToTheSameBits) {
  for (const Objective objective : {Objective::BINARY, Objective::MULTICLASS}) {
    const Problem whole = problem(objective);
    auto open = [&] {
      return std::make_unique<TreeRun>(nullptr, whole.values, FEATURES, whole.target, std::vector<double>{},
                                       categorical(), 63, 0.2, 3);
    };
    const Fitted expected = fit(*open(), options_of(objective), 6);
    const auto first = open(), second = open();
    const Fitted half = fit(*first, options_of(objective), 3);
    second->start(options_of(objective));
    for (const std::vector<double>& tree : half.trees) second->add(tree);
    for (int round = 3; round < 6; ++round) second->round(round);
    for (std::size_t i = 0; i < expected.trees.size(); ++i)
      EXPECT_EQ(second->encoded(i), expected.trees[i]) << i;
  }
}

TEST(Boosting, KeepsMonotoneConstraints) {
  Problem whole;
  std::mt19937_64 random(4);
  std::normal_distribution<double> normal;
  for (int i = 0; i < 2000; ++i) {
    const double x = normal(random), other = normal(random);
    whole.values.insert(whole.values.end(), {x, other});
    whole.target.push_back(x + std::sin(5 * x) + other + 0.5 * normal(random));
  }
  TreeRun run = alone(whole);
  BoostingOptions options;
  options.tree.monotone = {1, 0};
  run.start(options);
  for (int round = 0; round < 30; ++round) run.round(round);
  // A row's score is the sum of its leaves: walk the trees along the first feature.
  learning::Group group;
  double before = -std::numeric_limits<double>::infinity();
  for (double x = -3; x < 3; x += 0.01) {
    double score = 0;
    for (std::int64_t t = 0; t < run.trees(); ++t) {
      const std::vector<double> tree = run.encoded(static_cast<std::size_t>(t));
      const auto nodes = static_cast<std::int64_t>(tree[0]);
      std::int64_t at = nodes > 0 ? 0 : -1;
      while (at >= 0) {
        const double* node = &tree[static_cast<std::size_t>(2 + 9 * at)];
        at = static_cast<std::int64_t>((node[0] == 0 ? x : 0.3) <= node[1] ? node[2] : node[3]);
      }
      score += tree[static_cast<std::size_t>(2 + 9 * nodes + 2 * ~at)];
    }
    EXPECT_GE(score, before) << x;
    before = score;
  }
}

TEST(Boosting, AnswersForDegenerateRows) {
  for (const Problem& one :
       {Problem{{1}, {5}}, Problem{{1, 1, 1, 1}, {1, 2, 3, 4}}, Problem{{1, 2, 3, 4}, {7, 7, 7, 7}}}) {
    TreeRun run = alone(one);
    BoostingOptions options;
    options.tree.min_data_in_leaf = 1;
    const Fitted fitted = fit(run, options, 2);
    EXPECT_EQ(fitted.trees[1][0], 0) << "there is nothing to split";
    EXPECT_TRUE(std::isfinite(fitted.losses.back() == fitted.losses.back() ? fitted.losses.back() : 0));
  }
  Problem one_class{{1, 2, 3, 4}, {1, 1, 1, 1}};
  TreeRun run = alone(one_class);
  BoostingOptions binary;
  binary.objective = Objective::BINARY;
  EXPECT_LT(fit(run, binary, 2).losses[2], 1e-12);
}

TEST(Boosting, AnswersForMissingAndInfiniteValuesOnly) {
  const double nan = std::numeric_limits<double>::quiet_NaN(),
               infinity = std::numeric_limits<double>::infinity();
  const std::vector<Problem> all = {{{nan, nan, nan}, {0, 1, 0}},
                                    {{infinity, -infinity, 3, nan}, {0, 1, 1, 0}},
                                    {{2, 2, 2, 5, 5, 5}, {0, 0, 1, 1, 1, 1}}};
  for (const Problem& one : all) {
    for (const Objective objective : {Objective::REGRESSION, Objective::BINARY, Objective::MULTICLASS}) {
      TreeRun run = alone(one);
      BoostingOptions options;
      options.objective = objective;
      options.classes = objective == Objective::MULTICLASS ? 2 : 1;
      options.tree.min_data_in_leaf = 1;
      const Fitted fitted = fit(run, options, 3);
      EXPECT_LE(fitted.losses[4], fitted.losses[0] + 1e-9);
      for (const std::vector<double>& tree : fitted.trees) {
        for (std::size_t i = 2 + 9 * static_cast<std::size_t>(tree[0]); i < tree.size(); ++i)
          EXPECT_TRUE(std::isfinite(tree[i]));
      }
    }
  }
}

TEST(Boosting, RefusesTargetsThatTheObjectiveCannotHave) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(test::error_of([&] { alone({{1, 2}, {1, nan}}); }).code(), ErrorCode::INVALID_ARGUMENT);
  TreeRun run = alone({{1, 2}, {1, 2}});
  BoostingOptions binary;
  binary.objective = Objective::BINARY;
  EXPECT_EQ(test::error_of([&] { run.start(binary); }).code(), ErrorCode::INVALID_ARGUMENT);
}

TEST(Binning, EdgesAreExactOrderStatistics) {
  std::vector<double> values(1000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>((i * 7919) % 1000);
  const learning::Group group;
  const auto bins = learning::bin_features(group, values, 1, {0}, 10);
  const std::vector<float> expected = {99, 199, 299, 399, 499, 599, 699, 799, 899};
  EXPECT_EQ(bins[0].edges, expected);
  EXPECT_EQ(bins[0].bin(99), 0);
  EXPECT_EQ(bins[0].bin(99.5), 1);
  EXPECT_EQ(bins[0].bin(1e9), 9);
  EXPECT_EQ(bins[0].bin(std::numeric_limits<double>::quiet_NaN()), bins[0].missing());
}

}  // namespace
}  // namespace lockstep

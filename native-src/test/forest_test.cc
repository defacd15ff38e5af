#include "learning/trees/forest.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <mutex>
#include <random>
#include <vector>

#include "instruction_sets.h"
#include "learning/random.h"
#include "learning/trees/tree_run.h"
#include "ranks.h"
#include "tree_problem.h"

namespace lockstep {
namespace {

using learning::ForestOptions;
using learning::Objective;
using learning::times_drawn;
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
  std::vector<double> scores, importance;
  bool operator==(const Fitted&) const = default;
};

ForestOptions options_of(Objective objective) {
  ForestOptions options;
  options.objective = objective;
  options.classes = objective == Objective::MULTICLASS ? 4 : 1;
  options.seed = 5;
  options.tree.min_data_in_leaf = 1;
  options.tree.min_sum_hessian_in_leaf = 0;
  options.tree.feature_fraction_bynode = 0.4;
  return options;
}

Fitted fit(TreeRun& run, const ForestOptions& options, std::int64_t trees) {
  run.start(options);
  Fitted fitted;
  while (run.trees() < trees) run.grow(trees);
  for (std::int64_t tree = 0; tree < trees; ++tree)
    fitted.trees.push_back(run.encoded(static_cast<std::size_t>(tree)));
  fitted.scores = {run.score().out_of_bag, run.score().validation};
  fitted.importance = run.permutation_importance(trees, 150, 3);
  return fitted;
}

Fitted fit_on(int ranks, unsigned seed, const ForestOptions& options, bool is_weighted) {
  const Problem whole = problem(options.objective);
  const auto placed = placement(ROWS, static_cast<std::size_t>(ranks), seed);
  Fitted fitted;
  std::mutex mutex;
  test::run_with_communicators(ranks, Tuning{}, test::PATIENCE, [&](Communicator& communicator) {
    const auto& own = placed[static_cast<std::size_t>(communicator.rank())];
    std::vector<double> weights;
    for (const std::size_t row : own) {
      if (is_weighted) weights.push_back(0.37 * static_cast<double>(row / 10 % 3));
    }
    TreeRun run(std::shared_ptr<Communicator>(&communicator, [](Communicator*) {}),
                rows_of(whole.values, FEATURES, own), FEATURES, rows_of(whole.target, 1, own), weights,
                categorical(), 63, 0.25, 3);
    const Fitted result = fit(run, options, 7);
    std::lock_guard lock(mutex);
    if (fitted.trees.empty()) fitted = result;
    EXPECT_EQ(result, fitted) << "rank " << communicator.rank();
  });
  return fitted;
}

TEST(Forest, HasTheSameBitsOnAnyNumberOfRanksAndAnyPlacementOfRows) {
  for (const Objective objective : {Objective::REGRESSION, Objective::BINARY, Objective::MULTICLASS}) {
    for (const bool is_weighted : {false, true}) {
      const ForestOptions options = options_of(objective);
      const Fitted expected = fit_on(1, 1, options, is_weighted);
      EXPECT_GT(expected.trees[0].size(), 60u);
      EXPECT_GT(expected.scores[0], 0.5);
      for (const int ranks : {1, 2, 3, 4, 5}) {
        SCOPED_TRACE(testing::Message() << ranks << " ranks, objective " << static_cast<int>(objective));
        EXPECT_EQ(fit_on(ranks, static_cast<unsigned>(70 + ranks), options, is_weighted), expected);
      }
    }
  }
}

TEST(Forest, HasTheSameBitsOnEveryInstructionSet) {
  for (const Objective objective : {Objective::REGRESSION, Objective::MULTICLASS}) {
    const Fitted expected = fit_on(1, 1, options_of(objective), true);
    test::for_each_instruction_set([&] { EXPECT_EQ(fit_on(2, 9, options_of(objective), true), expected); });
  }
}

/// All rows on one rank, no categories.
std::unique_ptr<TreeRun> alone(const Problem& whole, const std::vector<double>& weights = {}) {
  const std::size_t features = whole.values.size() / whole.target.size();
  return std::make_unique<TreeRun>(nullptr, whole.values, features, whole.target, weights,
                                   std::vector<char>(features, 0), 255, 0, 1);
}

TEST(Forest, DrawsRowsAsPoissonsDistributionSays) {
  std::vector<int> counts(6, 0);
  constexpr int DRAWS = 200000;
  for (int id = 0; id < DRAWS; ++id)
    ++counts[std::min<std::uint32_t>(5, times_drawn(9, 4, learning::mix(static_cast<std::uint64_t>(id))))];
  const double shares[] = {0.36788, 0.36788, 0.18394, 0.06131, 0.01533, 0.00366};
  for (std::size_t times = 0; times < counts.size(); ++times) {
    // Five standard deviations.
    EXPECT_NEAR(counts[times], DRAWS * shares[times], 5 * std::sqrt(DRAWS * shares[times])) << times;
  }
}

/// The root's gain, by trying every threshold of [0, 200) on the rows as they were drawn.
double best_gain(const Problem& whole, const std::vector<double>& weights,
                 const std::vector<std::uint64_t>& ids, std::uint64_t seed, Objective objective,
                 int classes) {
  std::vector<double> times;
  for (const std::uint64_t id : ids) times.push_back(times_drawn(seed, 0, id));
  auto impurity = [&](auto is_inside) {
    double weight = 0, sum = 0, squares = 0;
    std::vector<double> by_class(static_cast<std::size_t>(classes), 0);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (!is_inside(i)) continue;
      const double w = times[i] * weights[i];
      weight += w;
      sum += w * whole.target[i];
      squares += w * whole.target[i] * whole.target[i];
      if (objective != Objective::REGRESSION) by_class[static_cast<std::size_t>(whole.target[i])] += w;
    }
    if (weight == 0) return 0.0;
    if (objective == Objective::REGRESSION) return squares - sum * sum / weight;
    double pure = 0;
    for (const double one : by_class) pure += one * one;
    return weight - pure / weight;
  };
  double best = 0;
  const double before = impurity([](std::size_t) { return true; });
  for (double threshold = 0; threshold < 200; ++threshold) {
    const double gain = before - impurity([&](std::size_t i) { return whole.values[i] <= threshold; }) -
                        impurity([&](std::size_t i) { return whole.values[i] > threshold; });
    best = std::max(best, gain);
  }
  return best;
}

TEST(Forest, SplitsWhereTheImpurityFallsMost) {
  // 40 rows are sorted, of 2,000 are small counts of classes, of 20,000 with their weights are large ones.
  for (const std::size_t rows : {std::size_t{40}, std::size_t{2000}, std::size_t{20000}}) {
    for (const Objective objective : {Objective::REGRESSION, Objective::BINARY, Objective::MULTICLASS}) {
      Problem whole;
      std::vector<double> weights;
      std::mt19937_64 random(rows);
      const int classes = objective == Objective::MULTICLASS ? 4 : 2;
      for (std::size_t i = 0; i < rows; ++i) {
        whole.values.push_back(static_cast<double>(random() % 200));
        const double signal = whole.values.back() / 50 + static_cast<double>(random() % 3);
        whole.target.push_back(objective == Objective::REGRESSION
                                   ? signal
                                   : std::min<double>(classes - 1, std::floor(signal * classes / 6)));
        weights.push_back(1 + static_cast<double>(random() % 2));
      }
      const auto run = alone(whole, weights);
      run->start(options_of(objective));
      run->grow(1);
      const std::vector<double> tree = run->encoded(0);
      const double expected = best_gain(whole, weights, run->data().ids, 5, objective, classes);
      EXPECT_GT(expected, 0.1);
      EXPECT_NEAR(tree[8], expected, 1e-6 * expected) << rows << " rows, " << static_cast<int>(objective);
    }
  }
}

TEST(Forest, EveryTreeKnowsTheRowsThatItWasGrownFrom) {
  Problem whole = problem(Objective::MULTICLASS);
  for (std::size_t i = 0; i < ROWS; ++i) whole.values[i * FEATURES + 5] = static_cast<double>(i);
  const auto run = alone(whole);
  run->start(options_of(Objective::MULTICLASS));
  run->grow(1);
  const std::vector<double> tree = run->encoded(0);
  const auto nodes = static_cast<std::size_t>(tree[0]);
  for (std::size_t leaf = 0; leaf <= nodes; ++leaf) {
    const double* values = &tree[2 + 9 * nodes + 5 * leaf];
    for (int k = 0; k < 4; ++k) EXPECT_TRUE(values[k] == 0 || values[k] == 1) << "leaf " << leaf;
  }
}

TEST(Forest, GoesOnFromTreesOfAnEarlierRunToTheSameBits) {
  for (const Objective objective : {Objective::REGRESSION, Objective::MULTICLASS}) {
    const Problem whole = problem(objective);
    auto open = [&] {
      return std::make_unique<TreeRun>(nullptr, whole.values, FEATURES, whole.target, std::vector<double>{},
                                       categorical(), 63, 0.2, 3);
    };
    const Fitted expected = fit(*open(), options_of(objective), 6);
    for (std::size_t done = 0; done <= 6; ++done) {
      const auto second = open();
      second->start(options_of(objective));
      for (std::size_t i = 0; i < done; ++i) second->add(expected.trees[i]);
      while (second->trees() < 6) second->grow(6);
      for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(second->encoded(i), expected.trees[i]) << i;
      EXPECT_EQ(second->score().out_of_bag, expected.scores[0]);
    }
  }
}

TEST(Forest, KeepsMonotoneConstraintsOfNumbers) {
  Problem whole;
  std::mt19937_64 random(4);
  std::normal_distribution<double> normal;
  for (int i = 0; i < 1000; ++i) {
    const double x = normal(random), other = normal(random);
    whole.values.insert(whole.values.end(), {x, other});
    whole.target.push_back(x + std::sin(5 * x) + other + 0.5 * normal(random));
  }
  const auto run = alone(whole);
  ForestOptions options = options_of(Objective::REGRESSION);
  options.tree.monotone = {1, 0};
  run->start(options);
  for (int i = 0; i < 20; ++i) run->grow(20);
  double before = -std::numeric_limits<double>::infinity();
  for (double x = -3; x < 3; x += 0.01) {
    double sum = 0;
    for (std::int64_t t = 0; t < run->trees(); ++t) {
      const std::vector<double> tree = run->encoded(static_cast<std::size_t>(t));
      const auto nodes = static_cast<std::int64_t>(tree[0]);
      std::int64_t at = nodes > 0 ? 0 : -1;
      while (at >= 0) {
        const double* node = &tree[static_cast<std::size_t>(2 + 9 * at)];
        at = static_cast<std::int64_t>((node[0] == 0 ? x : 0.3) <= node[1] ? node[2] : node[3]);
      }
      sum += tree[static_cast<std::size_t>(2 + 9 * nodes + 2 * ~at)];
    }
    EXPECT_GE(sum, before) << x;
    before = sum;
  }
}

TEST(Forest, PermutingAFeatureThatNothingDependsOnCostsNothing) {
  Problem whole;
  std::mt19937_64 random(6);
  for (int i = 0; i < 600; ++i) {
    const auto x = static_cast<double>(random() % 100), noise = static_cast<double>(random() % 100);
    whole.values.insert(whole.values.end(), {noise, x, 7});
    whole.target.push_back(x >= 50 ? 1 : 0);
  }
  const auto run = alone(whole);
  const Fitted fitted = fit(*run, options_of(Objective::BINARY), 20);
  EXPECT_GT(fitted.scores[0], 0.97);
  EXPECT_NEAR(fitted.importance[1], 0.5, 0.1) << "half of the rows then have the wrong class";
  EXPECT_LT(std::fabs(fitted.importance[0]), 0.03);
  EXPECT_EQ(fitted.importance[2], 0) << "it is constant";
}

TEST(Forest, AnswersForDegenerateRows) {
  const double nan = std::numeric_limits<double>::quiet_NaN(),
               infinity = std::numeric_limits<double>::infinity();
  const std::vector<Problem> all = {{{1}, {1}},
                                    {{1, 1, 1, 1}, {0, 1, 0, 1}},
                                    {{1, 2, 3, 4}, {1, 1, 1, 1}},
                                    {{nan, nan, nan}, {0, 1, 0}},
                                    {{infinity, -infinity, 3, nan}, {0, 1, 1, 0}},
                                    {{2, 2, 2, 5, 5, 5}, {0, 0, 1, 1, 1, 1}}};
  for (const Problem& one : all) {
    for (const Objective objective : {Objective::REGRESSION, Objective::BINARY, Objective::MULTICLASS}) {
      const auto run = alone(one);
      run->start(options_of(objective));
      for (int i = 0; i < 5; ++i) run->grow(5);
      for (std::size_t t = 0; t < 5; ++t) {
        const std::vector<double> tree = run->encoded(t);
        for (std::size_t i = 2 + 9 * static_cast<std::size_t>(tree[0]); i < tree.size(); ++i)
          EXPECT_TRUE(std::isfinite(tree[i])) << "tree " << t;
      }
    }
  }
}

TEST(Forest, RefusesWhatItCannotLearnFrom) {
  EXPECT_EQ(test::error_of([] {
              alone({{1, 2}, {1, 2}})->start(options_of(Objective::BINARY));
            }).code(),
            ErrorCode::INVALID_ARGUMENT);
  const auto run = alone({{1, 2}, {0, 1}});
  EXPECT_EQ(test::error_of([&] { run->grow(1); }).code(), ErrorCode::INVALID_ARGUMENT) << "not started";
}

}  // namespace
}  // namespace lockstep

#include "learning/k_means/k_means.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <mutex>
#include <random>
#include <vector>

#include "instruction_sets.h"
#include "learning/elementary.h"
#include "learning/random.h"
#include "learning_data.h"
#include "ranks.h"
#include "sanitized.h"

namespace lockstep {
namespace {

using learning::Acceleration;
using learning::KMeans;
using learning::LloydStep;
using learning::Seeding;
using test::clustered_rows;
using test::placement;
using test::rows_of;

constexpr std::size_t ROWS = 1203, DIMENSION = 9;
constexpr std::int64_t CLUSTERS = 37;

struct Fitted {
  std::vector<double> centres;
  std::vector<double> costs;
  double silhouette = 0;
  bool operator==(const Fitted&) const = default;
};

Fitted fit(KMeans& run, int iterations, std::int64_t clusters) {
  Fitted fitted;
  for (int i = 0; i < iterations; ++i) fitted.costs.push_back(run.step().cost);
  fitted.costs.push_back(run.label());
  fitted.silhouette = run.silhouette(200, 3);
  fitted.centres.resize(static_cast<std::size_t>(clusters) * run.dimension());
  run.read_centres(fitted.centres, false);
  return fitted;
}

/// The same problem on so many ranks, rows placed by `seed`.
Fitted fit_on(int ranks, unsigned seed, Seeding seeding, Acceleration acceleration, bool weighted) {
  const std::vector<double> values = clustered_rows(ROWS, DIMENSION, 5);
  const auto placed = placement(ROWS, static_cast<std::size_t>(ranks), seed);
  Fitted fitted;
  std::mutex mutex;
  bool first = true;
  test::run_with_communicators(ranks, Tuning{}, test::PATIENCE, [&](Communicator& communicator) {
    const auto& own = placed[static_cast<std::size_t>(communicator.rank())];
    std::vector<double> weights;
    for (const std::size_t row : own) weights.push_back(weighted ? 0.25 * static_cast<double>(row % 5) : 1);
    // The rows' owner is the test, so the run must not close the group.
    const std::shared_ptr<Communicator> shared(&communicator, [](Communicator*) {});
    KMeans run(shared, rows_of(values, DIMENSION, own), DIMENSION,
               weighted ? weights : std::vector<double>{});
    run.seed({seeding, CLUSTERS, 2, 5, 11}, acceleration);
    const Fitted own_result = fit(run, 12, CLUSTERS);
    std::lock_guard lock(mutex);
    if (first) fitted = own_result;
    first = false;
    EXPECT_EQ(own_result, fitted) << "rank " << communicator.rank();
  });
  return fitted;
}

TEST(KMeans, HasTheSameBitsOnAnyNumberOfRanksAndAnyPlacementOfRows) {
  for (const Seeding seeding : {Seeding::SCALABLE, Seeding::PLUS_PLUS, Seeding::RANDOM}) {
    for (const bool weighted : {false, true}) {
      const Fitted expected = fit_on(1, 1, seeding, Acceleration::NONE, weighted);
      for (const int ranks : {1, 2, 3, 4, 5}) {
        SCOPED_TRACE(testing::Message() << ranks << " ranks, seeding " << static_cast<int>(seeding));
        EXPECT_EQ(fit_on(ranks, static_cast<unsigned>(40 + ranks), seeding, Acceleration::NONE, weighted),
                  expected);
      }
    }
  }
}

TEST(KMeans, HasTheSameBitsWithEveryAccelerationAndInstructionSet) {
  const Fitted expected = fit_on(1, 1, Seeding::PLUS_PLUS, Acceleration::NONE, true);
  test::for_each_instruction_set([&] {
    for (const Acceleration acceleration :
         {Acceleration::NONE, Acceleration::HAMERLY, Acceleration::YINYANG}) {
      EXPECT_EQ(fit_on(2, 7, Seeding::PLUS_PLUS, acceleration, true), expected)
          << static_cast<int>(acceleration);
    }
  });
}

/// One-rank problems without a communicator of several.
struct Alone {
  Alone(const std::vector<double>& values, std::size_t dimension, const std::vector<double>& weights = {})
      : run(nullptr, values, dimension, weights) {}
  KMeans run;
};

TEST(KMeans, AgreesWithPlainLloydInDoubles) {
  const std::vector<double> values = clustered_rows(600, 4, 8);
  std::vector<double> centres(values.begin(), values.begin() + 5 * 4);
  Alone alone(values, 4);
  alone.run.start(centres, false, {}, Acceleration::HAMERLY);
  double cost = 0;
  for (int iteration = 0; iteration < 15; ++iteration) {
    std::vector<double> sums(20, 0), counts(5, 0);
    cost = 0;
    for (std::size_t i = 0; i < 600; ++i) {
      double nearest = std::numeric_limits<double>::infinity();
      std::size_t label = 0;
      for (std::size_t j = 0; j < 5; ++j) {
        double distance = 0;
        for (std::size_t c = 0; c < 4; ++c) distance += std::pow(values[i * 4 + c] - centres[j * 4 + c], 2);
        if (distance < nearest) nearest = distance, label = j;
      }
      cost += nearest;
      counts[label] += 1;
      for (std::size_t c = 0; c < 4; ++c) sums[label * 4 + c] += values[i * 4 + c];
    }
    EXPECT_NEAR(alone.run.step().cost, cost, 1e-6 * cost) << iteration;
    for (std::size_t j = 0; j < 5; ++j) {
      for (std::size_t c = 0; c < 4; ++c) centres[j * 4 + c] = sums[j * 4 + c] / counts[j];
    }
  }
  std::vector<double> found(20);
  alone.run.read_centres(found, false);
  for (std::size_t i = 0; i < 20; ++i) EXPECT_NEAR(found[i], centres[i], 1e-5);
}

TEST(KMeans, BoundsSaveMostOfTheScoresOfLateIterations) {
  const std::vector<double> values = clustered_rows(2000, 8, 8);
  std::vector<std::int64_t> scored;
  for (const Acceleration acceleration : {Acceleration::NONE, Acceleration::YINYANG}) {
    const learning::Group group;
    const learning::Points points(group, values, 8, {});
    const std::vector<double> seeds =
        learning::seed_centres(group, points, {Seeding::PLUS_PLUS, 64, 2, 5, 1});
    learning::Lloyd lloyd(group, points, seeds, acceleration);
    for (int i = 0; i < 30; ++i) lloyd.step();
    scored.push_back(lloyd.scored());
  }
  EXPECT_LT(scored[1], scored[0] / 3);
}

TEST(KMeans, GoesOnFromScaledCentresToTheSameBits) {
  const std::vector<double> values = clustered_rows(800, 6, 2);
  Alone whole(values, 6), first(values, 6), second(values, 6);
  whole.run.seed({Seeding::RANDOM, 20, 2, 5, 4}, Acceleration::AUTO);
  first.run.seed({Seeding::RANDOM, 20, 2, 5, 4}, Acceleration::AUTO);
  for (int i = 0; i < 5; ++i) first.run.step();
  std::vector<double> centres(20 * 6);
  first.run.read_centres(centres, true);
  second.run.start(centres, true, {}, Acceleration::NONE);
  for (int i = 0; i < 5; ++i) second.run.step();
  for (int i = 0; i < 10; ++i) whole.run.step();
  std::vector<double> expected(20 * 6), found(20 * 6);
  whole.run.read_centres(expected, false);
  second.run.read_centres(found, false);
  EXPECT_EQ(found, expected);
}

TEST(KMeans, GivesAnEmptyClusterTheFarthestRow) {
  // The third centre is nearest to no row.
  const std::vector<double> values = {0, 1, 10, 11, 100};
  Alone alone(values, 1);
  alone.run.start(std::vector<double>{0, 10, 1e6}, false, {}, Acceleration::HAMERLY);
  EXPECT_EQ(alone.run.step().repaired, 1);
  while (alone.run.step().shift > 0) {
  }
  std::vector<double> centres(3);
  alone.run.read_centres(centres, false);
  EXPECT_NEAR(centres[0], 0.5, 1e-5);
  EXPECT_NEAR(centres[1], 10.5, 1e-5);
  EXPECT_NEAR(centres[2], 100, 1e-4);
}

TEST(KMeans, AnswersForDegenerateRows) {
  struct Case {
    const char* name;
    std::vector<double> values;
    std::int64_t clusters;
    double cost;
  };
  for (const Case& one :
       {Case{"one row", {3, 4}, 1, 0}, Case{"one row, more clusters", {3, 4}, 5, 0},
        Case{"equal rows", {1, 1, 1, 1, 1, 1}, 2, 0}, Case{"k = n", {0, 0, 1, 1, 5, 5}, 3, 0}}) {
    SCOPED_TRACE(one.name);
    for (const Seeding seeding : {Seeding::SCALABLE, Seeding::PLUS_PLUS, Seeding::RANDOM}) {
      Alone alone(one.values, 2);
      alone.run.seed({seeding, one.clusters, 2, 5, 1}, Acceleration::AUTO);
      for (int i = 0; i < 10 && alone.run.step().shift > 0; ++i) {
      }
      EXPECT_NEAR(alone.run.label(), one.cost, 1e-9);
    }
  }
}

TEST(KMeans, RefusesWhatIsNoDistance) {
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  for (const double wrong : {nan, inf, 1e200}) {
    const Error error = test::error_of([&] { Alone(std::vector<double>{1, wrong}, 1); });
    EXPECT_EQ(error.code(), ErrorCode::INVALID_ARGUMENT);
    EXPECT_NE(std::string(error.what()).find("missing, infinite"), std::string::npos);
  }
  EXPECT_EQ(test::error_of([] { Alone(std::vector<double>{}, 1); }).code(), ErrorCode::INVALID_ARGUMENT);
  EXPECT_EQ(test::error_of([] { Alone({1, 2}, 1, {1, -1}); }).code(), ErrorCode::INVALID_ARGUMENT);
}

TEST(KMeans, SilhouetteOfAllRowsIsThatOfItsDefinition) {
  // By hand: rows 0, 2 and 9, 10 on a line. Of 0: inside 2, outside 9.5; of 2: 2, 7.5; of 9: 1, 8; of 10:
  // 1, 9.
  Alone alone({0, 2, 9, 10}, 1);
  alone.run.start(std::vector<double>{1, 9.5}, false, {}, Acceleration::NONE);
  alone.run.label();
  const double expected = (7.5 / 9.5 + 5.5 / 7.5 + 7.0 / 8 + 8.0 / 9) / 4;
  EXPECT_NEAR(alone.run.silhouette(4, 1), expected, 1e-6);
  EXPECT_NEAR(alone.run.silhouette(1000, 1), expected, 1e-6);
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

/// Bahmani, Moseley, Vattani, Kumar and Vassilvitskii, "Scalable K-Means++", PVLDB 5 (2012), table 1, column
/// R = 100: medians of the costs ÷ 10⁴ on 10,000 points around 50 centres in 15 dimensions, of the seeds and
/// in the end. The paper rounds to whole numbers.
TEST(KMeans, SeedsGaussMixturesAsWellAsThePaper) {
  if (test::HAS_THREAD_SANITIZER) GTEST_SKIP() << "takes a minute under ThreadSanitizer, with one thread";
  struct Row {
    Seeding seeding;
    double oversampling, seed, final;
  };
  constexpr std::size_t POINTS = 10000, DIMENSIONS = 15, MIXED = 50;
  for (const Row& row : {Row{Seeding::PLUS_PLUS, 1, 30, 15}, Row{Seeding::SCALABLE, 0.5, 23, 15},
                         Row{Seeding::SCALABLE, 2, 16, 15}}) {
    std::vector<double> seeds, finals;
    for (std::uint64_t trial = 0; trial < 11; ++trial) {
      std::mt19937_64 random(trial);
      std::normal_distribution<double> normal;
      std::vector<double> centres(MIXED * DIMENSIONS), values;
      for (double& coordinate : centres) coordinate = 100 * normal(random);
      for (std::size_t i = 0; i < POINTS; ++i) {
        const double* centre = centres.data() + random() % MIXED * DIMENSIONS;
        for (std::size_t j = 0; j < DIMENSIONS; ++j) values.push_back(centre[j] + normal(random));
      }
      Alone alone(values, DIMENSIONS);
      alone.run.seed({row.seeding, static_cast<std::int64_t>(MIXED), row.oversampling, 5, trial},
                     Acceleration::AUTO);
      seeds.push_back(alone.run.step().cost / 1e4);
      while (alone.run.step().shift > 0) {
      }
      finals.push_back(alone.run.label() / 1e4);
    }
    // Half a unit for the paper's rounding; 10 % of the seeds, 3 % of the finals.
    EXPECT_NEAR(median(seeds), row.seed, 0.5 + 0.1 * row.seed) << "l = " << row.oversampling << " k";
    EXPECT_NEAR(median(finals), row.final, 0.5 + 0.03 * row.final) << "l = " << row.oversampling << " k";
  }
}

TEST(KMeans, MiniBatchesComeNearTheCostOfLloyd) {
  const std::vector<double> values = clustered_rows(5000, 5, 3);
  Alone batches(values, 5), whole(values, 5);
  for (Alone* one : {&batches, &whole}) one->run.seed({Seeding::SCALABLE, 7, 2, 5, 1}, Acceleration::AUTO);
  for (int i = 0; i < 40; ++i) batches.run.batch_step(9, i, 0.1), whole.run.step();
  EXPECT_LT(batches.run.label(), 1.1 * whole.run.label());
}

TEST(Elementary, ExponentialAndLogarithmAreWithinFourUnits) {
  for (double x = -700; x < 700; x += 0.37) {
    EXPECT_NEAR(learning::exp_of(x) / std::exp(x), 1, 4 * 0x1p-52) << x;
  }
  for (double x = 1e-300; x < 1e300; x *= 1.7) {
    EXPECT_NEAR(learning::log_of(x), std::log(x), 4 * 0x1p-52 * std::abs(std::log(x))) << x;
  }
  EXPECT_EQ(learning::log_of(1), 0);
  EXPECT_EQ(learning::exp_of(0), 1);
}

}  // namespace
}  // namespace lockstep

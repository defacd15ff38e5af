#include "splitting/dense/weights.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "networks.h"
#include "ranks.h"

namespace lockstep::splitting {
namespace {

using test::error_of;

MixingMatrix pattern_of(const test::KnownNetwork& known) {
  return mixing_pattern(checked(known.network(), 7));
}

std::vector<double> whole(const MixingMatrix& matrix) {
  const auto n = static_cast<std::size_t>(matrix.size());
  std::vector<double> dense(n * n, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = matrix.offsets[i]; k < matrix.offsets[i + 1]; ++k) {
      dense[i * n + static_cast<std::size_t>(matrix.columns[k])] = matrix.values[k];
    }
  }
  return dense;
}

/// What the reference asks of P; user_weights() also looks at its eigenvalues.
void expect_valid(const MixingMatrix& matrix, const MixingMatrix& pattern) {
  const auto n = static_cast<std::size_t>(matrix.size());
  const std::vector<double> p = whole(matrix);
  for (std::size_t i = 0; i < n; ++i) {
    double sum = 0;
    for (std::size_t j = 0; j < n; ++j) {
      EXPECT_EQ(p[i * n + j], p[j * n + i]);
      EXPECT_GE(p[i * n + j], 0);
      sum += p[i * n + j];
    }
    EXPECT_NEAR(sum, 2, 1e-14);
  }
  EXPECT_NO_THROW(user_weights(pattern, p));
}

TEST(WeightsTest, SinkhornKnoppMeetsThePublishedMatrix) {
  const MixingMatrix pattern = pattern_of(test::snl30_seed0());
  const MixingMatrix matrix = sinkhorn_knopp(pattern);
  expect_valid(matrix, pattern);
  const std::vector<double> p = whole(matrix);
  const std::vector<double> published = test::snl30_seed0_expected().weights;
  for (std::size_t k = 0; k < p.size(); ++k) EXPECT_NEAR(p[k], published[k], 1e-5);
}

TEST(WeightsTest, MetropolisIsValid) {
  const MixingMatrix pattern = pattern_of(test::radar_20_8());
  expect_valid(metropolis(pattern), pattern);
}

TEST(WeightsTest, SinkhornKnoppFromNeighborsAloneHasTheBitsOfTheCentralOne) {
  const MixingMatrix pattern = pattern_of(test::snl30_seed0());
  const std::vector<double> expected = sinkhorn_knopp(pattern).values;
  for (int ranks = 1; ranks <= 4; ++ranks) {
    test::run_with_communicators(ranks, Tuning{}, test::PATIENCE, [&](Communicator& group) {
      const MixingMatrix matrix = sinkhorn_knopp(group, pattern);
      const OwnRows own = own_rows(pattern.size(), group.rank(), ranks);
      for (std::size_t k = matrix.offsets[static_cast<std::size_t>(own.begin)];
           k < matrix.offsets[static_cast<std::size_t>(own.end)]; ++k) {
        EXPECT_EQ(matrix.values[k], expected[k]);
      }
    });
  }
}

/// What user_weights() says about valid weights of four sensors in a ring after a change.
std::string complaint_after(const std::function<void(std::vector<double>&)>& change) {
  const MixingMatrix ring{{0, 3, 6, 9, 12}, {0, 1, 3, 0, 1, 2, 1, 2, 3, 0, 2, 3}, std::vector<double>(12, 1)};
  std::vector<double> p = whole(metropolis(ring));
  EXPECT_NO_THROW(user_weights(ring, p));
  change(p);
  return error_of([&] { user_weights(ring, p); }).what();
}

void expect_says(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST(WeightsTest, RefusesUserWeightsThatCannotMix) {
  expect_says(complaint_after([](auto& p) { p.pop_back(); }), "15 numbers, and 4 sensors need 16");
  expect_says(complaint_after([](auto& p) { p[1] = std::nan(""); }), "P[0, 1] is nan");
  expect_says(complaint_after([](auto& p) { p[1] += 0.1; }), "not symmetric: P[0, 1]");
  expect_says(complaint_after([](auto& p) { p[2] = p[8] = 0.1; }), "sensors 0 and 2 are not neighbours");
  expect_says(complaint_after([](auto& p) { p[0] += 0.1; }), "the row of sensor 0 sums to 2.1");
  expect_says(complaint_after([](auto& p) {
                p.assign(16, 0.0);  // pairs that never hear of each other
                for (const std::size_t k : {0, 1, 4, 5, 10, 11, 14, 15}) p[k] = 1;
              }),
              "an eigenvalue of 2 or more");
  expect_says(complaint_after([](auto& p) {
                p.assign(16, 0.0);  // a ring without a diagonal alternates for ever
                for (const std::size_t k : {1, 3, 4, 6, 9, 11, 12, 14}) p[k] = 1;
              }),
              "an eigenvalue of −2 or less");
}

TEST(WeightsTest, NamesThePartThatNeighborListsCutOff) {
  test::KnownNetwork known = test::snl30_seed0();
  for (std::int32_t i = 0; i < 30; ++i) {  // sensors 0 to 2 among themselves, and the others
    std::vector<std::int32_t> row;
    for (const std::int32_t j : known.neighbors[static_cast<std::size_t>(i)]) {
      if ((i < 3) == (j < 3)) row.push_back(j);
    }
    known.neighbors[static_cast<std::size_t>(i)] = row;
  }
  const Network network = checked(known.network(), 7);
  test::run_with_communicators(1, Tuning{}, test::PATIENCE, [&](Communicator& group) {
    const Error error = error_of([&] { mixing_for(group, network, Options{}); });
    expect_says(error.what(), "parts, and mixing needs one: sensor");
  });
}

}  // namespace
}  // namespace lockstep::splitting

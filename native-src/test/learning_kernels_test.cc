#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "instruction_sets.h"
#include "learning/k_means/distance_kernels.h"
#include "learning/trees/histogram_kernels.h"

namespace lockstep {
namespace {

const HistogramKernels& histograms() { return variant_in_use(variants_of_histogram_kernels); }

TEST(LearningKernels, ABinIsTheNumberOfEdgesBelowAValue) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const std::size_t edges :
       {std::size_t{0}, std::size_t{1}, std::size_t{15}, std::size_t{16}, std::size_t{254}}) {
    std::vector<float> padded(256, infinity), values = {-infinity, infinity, -0.0f, 0.0f, std::nanf("")};
    for (std::size_t i = 0; i < edges; ++i) padded[i] = static_cast<float>(i) - 7;
    for (float value = -10; value < 260; value += 0.5f) values.push_back(value);
    std::vector<std::uint8_t> bins(values.size());
    test::for_each_instruction_set([&] {
      histograms().find_bins(values.data(), values.size(), padded.data(), 255, bins.data());
      for (std::size_t i = 0; i < values.size(); ++i) {
        const auto below =
            std::count_if(padded.begin(), padded.end(), [&](float edge) { return edge < values[i]; });
        EXPECT_EQ(bins[i], std::isnan(values[i]) ? 255 : below) << values[i] << " of " << edges << " edges";
      }
    });
  }
}

TEST(LearningKernels, HistogramsAreSumsOverTheListedRows) {
  constexpr std::size_t ROWS = 100, FEATURES = 5;
  std::mt19937 random(3);
  std::vector<std::uint8_t> bins(ROWS * FEATURES);
  for (std::uint8_t& bin : bins) bin = static_cast<std::uint8_t>(random() % 20);
  std::vector<BinSums> sums(ROWS);
  for (BinSums& sum : sums)
    sum = {static_cast<std::int64_t>(random()) - (1 << 30), static_cast<std::int64_t>(random())};
  std::vector<std::uint32_t> rows, offsets;
  for (std::uint32_t row = 0; row < ROWS; row += 3) rows.push_back(row);
  for (std::uint32_t f = 0; f < FEATURES; ++f) offsets.push_back(20 * f);
  std::vector<BinSums> expected(20 * FEATURES, BinSums{0, 0});
  for (const std::uint32_t row : rows) {
    for (std::size_t f = 1; f < 4; ++f) {
      BinSums& bin = expected[offsets[f] + bins[row * FEATURES + f]];
      bin.gradient += sums[row].gradient;
      bin.hessian_and_count += sums[row].hessian_and_count;
    }
  }
  test::for_each_instruction_set([&] {
    std::vector<BinSums> histogram(expected.size(), BinSums{0, 0});
    histograms().add_rows(histogram.data(), offsets.data(), bins.data(), FEATURES, 1, 4, rows.data(),
                          rows.size(), sums.data());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(histogram[i].gradient, expected[i].gradient) << i;
      EXPECT_EQ(histogram[i].hessian_and_count, expected[i].hessian_and_count) << i;
    }
  });
}

TEST(LearningKernels, ClassesMoveToTheLeftAsWholeNumbers) {
  constexpr std::size_t CLASSES = 12;
  std::mt19937 random(4);
  std::vector<std::int32_t> small(CLASSES);
  std::vector<double> bin(CLASSES), total(CLASSES), before(CLASSES);
  for (std::size_t k = 0; k < CLASSES; ++k) {
    small[k] = static_cast<std::int32_t>(random() % 100000);
    bin[k] = small[k];
    before[k] = static_cast<double>(random() % 100000);
    total[k] = before[k] + bin[k] + static_cast<double>(random() % 100000);
  }
  double expected[3] = {0, 0, 0};  // below 2^53, so exact in any order
  for (std::size_t k = 0; k < CLASSES; ++k) {
    const double left = before[k] + bin[k], right = total[k] - left;
    expected[0] += left * left;
    expected[1] += right * right;
    expected[2] += bin[k];
  }
  test::for_each_instruction_set([&] {
    for (const bool is_small : {false, true}) {
      std::vector<double> left = before;
      double squares[2], weight;
      if (is_small) {
        histograms().add_small_classes(left.data(), small.data(), total.data(), CLASSES, squares, &weight);
      } else {
        histograms().add_classes(left.data(), bin.data(), total.data(), CLASSES, squares, &weight);
      }
      for (std::size_t k = 0; k < CLASSES; ++k) EXPECT_EQ(left[k], before[k] + bin[k]);
      EXPECT_EQ(squares[0], expected[0]);
      EXPECT_EQ(squares[1], expected[1]);
      EXPECT_EQ(weight, expected[2]);
    }
  });
}

TEST(LearningKernels, ASplitsScoreIsTheSumOverItsSides) {
  // Two classes of weights 5 and 3: {1, 0}, then {3, 1}, then {5, 2} on the left.
  LeftSums left{};
  const std::int64_t weights[3][2] = {{1, 0}, {3, 1}, {5, 2}};
  std::vector<double> expected;
  for (std::size_t i = 0; i < 3; ++i) {
    const std::int64_t a = weights[i][0], b = weights[i][1];
    left.squares[i] = a * a + b * b;
    left.by_total[i] = 5 * a + 3 * b;
    left.weight[i] = a + b;
    expected.push_back(static_cast<double>(a * a + b * b) / static_cast<double>(a + b) +
                       static_cast<double>((5 - a) * (5 - a) + (3 - b) * (3 - b)) /
                           static_cast<double>(8 - a - b));
  }
  test::for_each_instruction_set([&] {
    std::vector<double> scores(3);
    histograms().score_splits(left, 3, 5 * 5 + 3 * 3, 8, scores.data());
    EXPECT_EQ(scores, expected);
  });
}

TEST(LearningKernels, ScoresOfCentresAreHalfTheirNormsLessTheProducts) {
  std::mt19937 random(5);
  for (const std::size_t dimension : {std::size_t{1}, std::size_t{2}, std::size_t{17}, std::size_t{784}}) {
    constexpr std::size_t ROWS = 19;  // whole tiles of every instruction set, and rows that are left over
    std::vector<float> values(ROWS * dimension), panel(PANEL * dimension), half_norms(PANEL);
    for (auto* all : {&values, &panel, &half_norms}) {
      for (float& value : *all) value = static_cast<float>(random() % 64) / 64;  // products have few bits
    }
    std::vector<const float*> rows;
    for (std::size_t i = 0; i < ROWS; ++i) rows.push_back(values.data() + i * dimension);
    test::for_each_instruction_set([&] {
      std::vector<float> out(ROWS * PANEL);
      variant_in_use(variants_of_distance_kernels)
          .scores(rows.data(), ROWS, panel.data(), half_norms.data(), dimension, out.data(), PANEL);
      for (std::size_t i = 0; i < ROWS; ++i) {
        for (std::size_t j = 0; j < PANEL; ++j) {
          double expected = half_norms[j];
          for (std::size_t k = 0; k < dimension; ++k)
            expected -= static_cast<double>(rows[i][k]) * static_cast<double>(panel[k * PANEL + j]);
          EXPECT_EQ(out[i * PANEL + j], expected) << "row " << i << ", centre " << j << ", " << dimension;
        }
      }
    });
  }
}

}  // namespace
}  // namespace lockstep

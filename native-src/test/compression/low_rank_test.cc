#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "compression/float_values.h"
#include "instruction_sets.h"
#include "lockstep/compression.h"
#include "lockstep/error.h"

namespace lockstep {
namespace {

using test::address;
using test::for_each_instruction_set;
using test::normal_values;

double product(const std::vector<float>& rows, std::size_t columns, std::size_t a, std::size_t b) {
  double sum = 0;
  for (std::size_t i = 0; i < columns; ++i) {
    sum += double{rows[a * columns + i]} * double{rows[b * columns + i]};
  }
  return sum;
}

TEST(OrthonormalizeRows, RowsAreOfUnitLengthAndAtRightAngles) {
  for (std::size_t columns : {4, 5, 100, 3072}) {
    auto rows = normal_values(4 * columns);
    // A row that nearly depends on the others is at right angles to them as well.
    for (std::size_t i = 0; i < columns; ++i) {
      rows[2 * columns + i] = rows[i] - rows[columns + i] + 1e-4f * rows[2 * columns + i];
    }
    orthonormalize_rows(address(rows), 4, static_cast<std::int64_t>(columns));
    for (std::size_t a = 0; a < 4; ++a) {
      for (std::size_t b = 0; b < 4; ++b) {
        EXPECT_NEAR(product(rows, columns, a, b), a == b ? 1 : 0, 1e-6) << a << " and " << b;
      }
    }
  }
}

TEST(OrthonormalizeRows, WhatDependsOnEarlierRowsBecomesZeroAndNanStays) {
  std::vector<float> rows = {1, 2, 3, 4, -2, -4, -6, -8, 0, 0, 0, 0, 1, 0, 0, 0};
  orthonormalize_rows(address(rows), 4, 4);
  for (std::size_t i = 4; i < 12; ++i) EXPECT_EQ(rows[i], 0.0f);
  EXPECT_NEAR(product(rows, 4, 3, 3), 1, 1e-6);
  std::vector<float> bad = {1, NAN, 2, 2};
  orthonormalize_rows(address(bad), 2, 2);
  EXPECT_TRUE(std::isnan(bad[0]) && std::isnan(bad[3]));
}

TEST(ExpandLowRank, IsTheProduct) {
  for_each_instruction_set([] {
    constexpr std::size_t RANK = 3, ROWS = 7, COLUMNS = 1030;
    const auto left = normal_values(RANK * ROWS, 1), right = normal_values(RANK * COLUMNS, 2);
    std::vector<float> target(ROWS * COLUMNS, 9.0f);
    expand_low_rank(address(left), address(right), RANK, ROWS, COLUMNS, address(target), false);
    auto difference = normal_values(ROWS * COLUMNS, 4);
    const auto before = difference;
    expand_low_rank(address(left), address(right), RANK, ROWS, COLUMNS, address(difference), true);
    for (std::size_t r = 0; r < ROWS; ++r) {
      for (std::size_t c = 0; c < COLUMNS; ++c) {
        double sum = 0;
        for (std::size_t k = 0; k < RANK; ++k) {
          sum += double{left[k * ROWS + r]} * double{right[k * COLUMNS + c]};
        }
        const std::size_t i = r * COLUMNS + c;
        ASSERT_NEAR(target[i], sum, 1e-5);
        ASSERT_EQ(difference[i], before[i] - target[i]);
      }
    }
  });
}

/// Vogels et al. 2019, "PowerSGD", section 3: of a matrix of that rank one step of the power method loses
/// nothing.
TEST(LowRank, OneStepOfThePowerMethodRestoresAMatrixOfThatRank) {
  constexpr std::size_t RANK = 2, ROWS = 20, COLUMNS = 30;
  const auto a = normal_values(RANK * ROWS, 1), b = normal_values(RANK * COLUMNS, 2);
  std::vector<float> matrix(ROWS * COLUMNS);
  expand_low_rank(address(a), address(b), RANK, ROWS, COLUMNS, address(matrix), false);
  const auto start = normal_values(RANK * COLUMNS, 5);
  std::vector<float> p(RANK * ROWS), q(RANK * COLUMNS), restored(ROWS * COLUMNS);
  for (std::size_t k = 0; k < RANK; ++k) {
    for (std::size_t r = 0; r < ROWS; ++r) {
      for (std::size_t c = 0; c < COLUMNS; ++c) {
        p[k * ROWS + r] += matrix[r * COLUMNS + c] * start[k * COLUMNS + c];
      }
    }
  }
  orthonormalize_rows(address(p), RANK, ROWS);
  for (std::size_t k = 0; k < RANK; ++k) {
    for (std::size_t r = 0; r < ROWS; ++r) {
      for (std::size_t c = 0; c < COLUMNS; ++c) {
        q[k * COLUMNS + c] += p[k * ROWS + r] * matrix[r * COLUMNS + c];
      }
    }
  }
  expand_low_rank(address(p), address(q), RANK, ROWS, COLUMNS, address(restored), false);
  for (std::size_t i = 0; i < matrix.size(); ++i) ASSERT_NEAR(restored[i], matrix[i], 1e-4);
}

TEST(LowRank, RefusesWhatCannotBe) {
  std::vector<float> values(4);
  EXPECT_THROW(orthonormalize_rows(0, 2, 2), Error);
  EXPECT_THROW(orthonormalize_rows(address(values), -1, 2), Error);
  EXPECT_THROW(orthonormalize_rows(address(values), std::int64_t{1} << 40, std::int64_t{1} << 40), Error);
  EXPECT_THROW(expand_low_rank(0, address(values), 1, 2, 2, address(values), false), Error);
  EXPECT_THROW(expand_low_rank(address(values), address(values), 1, 2, -2, address(values), false), Error);
}

}  // namespace
}  // namespace lockstep

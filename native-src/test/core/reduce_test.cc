#include "core/reduce.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "half_reference.h"
#include "instruction_sets.h"
#include "lockstep/error.h"

namespace lockstep {
namespace {

constexpr ReduceOp OPS[] = {ReduceOp::SUM, ReduceOp::AVERAGE, ReduceOp::MIN, ReduceOp::MAX,
                            ReduceOp::PRODUCT};

using test::for_each_instruction_set;

template <typename T>
std::vector<T> reduce(const std::vector<T>& left, const std::vector<T>& right, DataType type, ReduceOp op) {
  std::vector<T> result = left;
  reduce_into(result.data(), right.data(), result.size(), type, op);
  return result;
}

template <typename T>
void expect_same_bits(const std::vector<T>& actual, const std::vector<T>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ASSERT_EQ(std::memcmp(&actual[i], &expected[i], sizeof(T)), 0)
        << "element " << i << ": " << +actual[i] << " instead of " << +expected[i];
  }
}

template <typename T>
T expected_float(T a, T b, ReduceOp op) {
  T result;
  if (op == ReduceOp::MIN || op == ReduceOp::MAX) {
    bool take_smaller = op == ReduceOp::MIN;
    if (std::isnan(a) || std::isnan(b)) {
      result = std::numeric_limits<T>::quiet_NaN();
    } else if (a == b) {
      result = (take_smaller == std::signbit(a)) ? a : b;
    } else {
      result = (take_smaller == (a < b)) ? a : b;
    }
  } else {
    result = op == ReduceOp::PRODUCT ? a * b : a + b;
  }
  return std::isnan(result) ? std::numeric_limits<T>::quiet_NaN() : result;
}

template <typename T>
T expected_integer(T a, T b, ReduceOp op) {
  if (op == ReduceOp::MIN) return std::min(a, b);
  if (op == ReduceOp::MAX) return std::max(a, b);
  auto x = static_cast<std::uint64_t>(a), y = static_cast<std::uint64_t>(b);
  return static_cast<T>(op == ReduceOp::PRODUCT ? x * y : x + y);
}

/// Every pair of the values, in both orders.
template <typename T>
std::pair<std::vector<T>, std::vector<T>> all_pairs(const std::vector<T>& values) {
  std::pair<std::vector<T>, std::vector<T>> pairs;
  for (T a : values) {
    for (T b : values) {
      pairs.first.push_back(a);
      pairs.second.push_back(b);
    }
  }
  return pairs;
}

template <typename T>
std::vector<T> float_values() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> values = {0,
                           1,
                           T(1.5),
                           T(3.25),
                           Limits::min(),
                           Limits::denorm_min(),
                           Limits::min() / 4,
                           Limits::max(),
                           Limits::epsilon(),
                           Limits::infinity(),
                           Limits::quiet_NaN(),
                           1 + Limits::epsilon(),
                           T(1e-30),
                           T(1e30)};
  std::size_t positive = values.size();
  for (std::size_t i = 0; i < positive; ++i) values.push_back(-values[i]);
  std::mt19937_64 random(7);
  std::normal_distribution<double> normal;
  for (int i = 0; i < 50; ++i) values.push_back(static_cast<T>(normal(random)));
  return values;
}

template <typename T>
void check_float(DataType type) {
  auto [left, right] = all_pairs(float_values<T>());
  for (ReduceOp op : OPS) {
    SCOPED_TRACE(static_cast<int>(op));
    std::vector<T> expected;
    for (std::size_t i = 0; i < left.size(); ++i) expected.push_back(expected_float(left[i], right[i], op));
    expect_same_bits(reduce(left, right, type, op), expected);
    expect_same_bits(reduce(right, left, type, op), expected);
  }
}

TEST(Reduce, FloatsGiveTheSameBitsOnEveryInstructionSetAndInEitherOrder) {
  for_each_instruction_set([] {
    check_float<float>(DataType::F32);
    check_float<double>(DataType::F64);
  });
}

template <typename T>
void check_integer(DataType type) {
  using Limits = std::numeric_limits<T>;
  std::vector<T> values = {Limits::min(), Limits::max(), 0, 1, 2, 3, 100, T(-1), T(Limits::max() / 2 + 1)};
  std::mt19937_64 random(8);
  for (int i = 0; i < 50; ++i) values.push_back(static_cast<T>(random()));
  auto [left, right] = all_pairs(values);
  for (ReduceOp op : OPS) {
    SCOPED_TRACE(static_cast<int>(op));
    std::vector<T> expected;
    for (std::size_t i = 0; i < left.size(); ++i) expected.push_back(expected_integer(left[i], right[i], op));
    expect_same_bits(reduce(left, right, type, op), expected);
  }
}

TEST(Reduce, IntegersWrapAround) {
  for_each_instruction_set([] {
    check_integer<std::int32_t>(DataType::I32);
    check_integer<std::int64_t>(DataType::I64);
    check_integer<std::uint8_t>(DataType::U8);
  });
}

/// All 65,536 values against a few that produce ties, subnormals, overflow, infinities and NaN.
void check_half(DataType type, const test::HalfFormat& format) {
  std::vector<std::uint16_t> partners;
  for (float value : {0.0f, -0.0f, 1.0f, -1.0f, 0.5f, 3.0f, 1e-3f, -7e-6f, 6e4f, -6e4f, 3e38f, 6e-8f, 1e-40f,
                      std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    partners.push_back(format.narrow(value));
  }
  std::vector<std::uint16_t> left(65536);
  for (std::size_t i = 0; i < left.size(); ++i) left[i] = static_cast<std::uint16_t>(i);
  for (ReduceOp op : OPS) {
    for (std::uint16_t partner : partners) {
      SCOPED_TRACE("operation " + std::to_string(static_cast<int>(op)) + ", right bits " +
                   std::to_string(partner));
      std::vector<std::uint16_t> right(left.size(), partner), expected;
      for (std::uint16_t bits : left) {
        expected.push_back(format.narrow(expected_float(format.widen(bits), format.widen(partner), op)));
      }
      expect_same_bits(reduce(left, right, type, op), expected);
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST(Reduce, F16WidensCombinesAndRoundsToNearestEven) {
  for_each_instruction_set([] { check_half(DataType::F16, test::F16); });
}

TEST(Reduce, BF16WidensCombinesAndRoundsToNearestEven) {
  for_each_instruction_set([] { check_half(DataType::BF16, test::BF16); });
}

TEST(Reduce, EveryLengthAndAlignmentTouchesItsElementsAlone) {
  for_each_instruction_set([] {
    for (std::size_t count : {0, 1, 7, 8, 15, 16, 17, 31, 63, 65, 511, 512, 513, 1025}) {
      for (std::size_t offset : {0, 1, 3}) {
        for (auto [type, size] : {std::pair{DataType::F32, 4}, {DataType::F16, 2}, {DataType::U8, 1}}) {
          std::vector<unsigned char> target(offset + count * size + 64, 0), source(target.size(), 0x3a);
          // NaN in every type: a kernel that rewrites even one of them shows.
          std::memset(target.data() + offset + count * size, 0xff, 64);
          std::vector<unsigned char> expected = target;
          for (std::size_t i = 0; i < count; ++i) {
            // One, in each of the types, in both buffers: f32 0x3f800000 + itself is 0x40000000.
            unsigned char one[4] = {1, 0, 0, 0}, two[4] = {2, 0, 0, 0};
            if (size == 4) std::memcpy(one, "\x00\x00\x80\x3f", 4), std::memcpy(two, "\x00\x00\x00\x40", 4);
            if (size == 2) std::memcpy(one, "\x00\x3c", 2), std::memcpy(two, "\x00\x40", 2);
            std::memcpy(target.data() + offset + i * size, one, size);
            std::memcpy(source.data() + offset + i * size, one, size);
            std::memcpy(expected.data() + offset + i * size, two, size);
          }
          reduce_into(target.data() + offset, source.data() + offset, count, type, ReduceOp::SUM);
          ASSERT_EQ(target, expected) << count << " elements of " << size << " bytes at offset " << offset;
        }
      }
    }
  });
}

TEST(Reduce, PairWritesAThirdBufferOrEitherOperand) {
  for_each_instruction_set([] {
    std::vector<float> left(1000, 2.0f), right(1000, 3.0f), target(1000), six(1000, 6.0f), right_copy = right;
    reduce_pair(target.data(), left.data(), right.data(), 1000, DataType::F32, ReduceOp::PRODUCT);
    EXPECT_EQ(target, six);
    EXPECT_EQ(right, right_copy);
    reduce_pair(right.data(), left.data(), right.data(), 1000, DataType::F32, ReduceOp::PRODUCT);
    EXPECT_EQ(right, six);
  });
}

TEST(Reduce, AverageDividesAndRoundsIntegersTowardZero) {
  for_each_instruction_set([] {
    std::vector<std::int32_t> i32(33, -7);
    finish_average(i32.data(), i32.size(), DataType::I32, 2);
    EXPECT_EQ(i32, std::vector<std::int32_t>(33, -3));
    std::vector<std::int64_t> i64(33, std::numeric_limits<std::int64_t>::min());
    finish_average(i64.data(), i64.size(), DataType::I64, 3);
    EXPECT_EQ(i64, std::vector<std::int64_t>(33, std::numeric_limits<std::int64_t>::min() / 3));
    std::vector<std::uint8_t> u8(33, 255);
    finish_average(u8.data(), u8.size(), DataType::U8, 2);
    EXPECT_EQ(u8, std::vector<std::uint8_t>(33, 127));
    std::vector<float> f32(33, 1.0f);
    finish_average(f32.data(), f32.size(), DataType::F32, 3);
    EXPECT_EQ(f32, std::vector<float>(33, 1.0f / 3.0f));
    std::vector<double> f64(33, 1.0);
    finish_average(f64.data(), f64.size(), DataType::F64, 3);
    EXPECT_EQ(f64, std::vector<double>(33, 1.0 / 3.0));
    std::vector<std::uint16_t> bf16(600, test::BF16.narrow(1.0f));
    finish_average(bf16.data(), bf16.size(), DataType::BF16, 3);
    EXPECT_EQ(bf16, std::vector<std::uint16_t>(600, test::BF16.narrow(1.0f / 3.0f)));
  });
}

TEST(Reduce, UnknownCodesAreRefused) {
  float value = 1;
  EXPECT_THROW(reduce_into(&value, &value, 1, static_cast<DataType>(7), ReduceOp::SUM), Error);
  EXPECT_THROW(reduce_into(&value, &value, 1, DataType::F32, static_cast<ReduceOp>(-1)), Error);
  EXPECT_THROW(finish_average(&value, 1, DataType::F32, 0), Error);
}

TEST(Cpu, BaselineIsAvailableEverywhereAndTheFastestIsTheDefault) {
  ASSERT_FALSE(available_instruction_sets().empty());
  EXPECT_EQ(available_instruction_sets().front(), InstructionSet::BASELINE);
  EXPECT_EQ(instruction_set(), available_instruction_sets().back());
  EXPECT_THROW(select_instruction_set(static_cast<InstructionSet>(9)), Error);
}

}  // namespace
}  // namespace lockstep

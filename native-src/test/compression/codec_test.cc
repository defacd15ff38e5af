#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "half_reference.h"
#include "instruction_sets.h"
#include "lockstep/compression.h"
#include "lockstep/error.h"

namespace lockstep {
namespace {

using test::for_each_instruction_set;

constexpr std::size_t BLOCK = 256;
constexpr Codec CODECS[] = {Codec::FLOAT16, Codec::BFLOAT16, Codec::INT8, Codec::INT8_STOCHASTIC,
                            Codec::ONE_BIT};
constexpr std::size_t COUNTS[] = {0, 1, 7, 8, 9, 255, 256, 257, 511, 1000, 4099};

template <typename T>
std::int64_t address(const std::vector<T>& data) {
  return static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(data.data()));
}

std::int32_t code(Codec codec) { return static_cast<std::int32_t>(codec); }

std::vector<float> normal_values(std::size_t count, std::uint64_t seed = 3) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

struct Encoded {
  std::vector<char> bytes;
  std::vector<float> residual;

  std::vector<float> decoded(Codec codec) const {
    std::vector<float> values(residual.size(), -1.0f);
    decode(code(codec), address(bytes), static_cast<std::int64_t>(values.size()), address(values), false);
    return values;
  }
};

Encoded encoded(Codec codec, const std::vector<float>& values, std::vector<float> residual, double carry,
                double keep, std::int64_t seed = 1) {
  const auto count = static_cast<std::int64_t>(values.size());
  // One byte more, which must stay as it is.
  std::vector<char> bytes(static_cast<std::size_t>(encoded_bytes(code(codec), count)) + 1, 0x5a);
  encode(code(codec), address(values), count, address(bytes), address(residual), carry, keep, seed);
  EXPECT_EQ(bytes.back(), 0x5a);
  bytes.pop_back();
  return {bytes, residual};
}

Encoded encoded(Codec codec, const std::vector<float>& values, std::int64_t seed = 1) {
  return encoded(codec, values, std::vector<float>(values.size()), 1, 0, seed);
}

TEST(Codec, SizesAreThoseOfTheCodesAndOneScaleForEach256) {
  EXPECT_EQ(encoded_bytes(code(Codec::FLOAT16), 1000), 2000);
  EXPECT_EQ(encoded_bytes(code(Codec::BFLOAT16), 1000), 2000);
  EXPECT_EQ(encoded_bytes(code(Codec::INT8), 1000), 1016);
  EXPECT_EQ(encoded_bytes(code(Codec::ONE_BIT), 1000), 16 + 125);
  for (Codec codec : CODECS) EXPECT_EQ(encoded_bytes(code(codec), 0), 0);
}

TEST(Codec, HalvesAreThoseOfTheFormat) {
  for_each_instruction_set([] {
    for (const auto& [codec, format] :
         {std::pair{Codec::FLOAT16, test::F16}, {Codec::BFLOAT16, test::BF16}}) {
      for (std::size_t count : COUNTS) {
        const auto values = normal_values(count);
        const auto decoded = encoded(codec, values).decoded(codec);
        for (std::size_t i = 0; i < count; ++i) {
          ASSERT_EQ(decoded[i], format.widen(format.narrow(values[i]))) << i;
        }
      }
    }
  });
}

TEST(Codec, FiniteValuesBeyondAHalfsRangeAreCutOffAndTheResidualKeepsTheRest) {
  for_each_instruction_set([] {
    const std::vector<float> values = {70000, -1e30f, 65504, INFINITY, -INFINITY};
    const auto half = encoded(Codec::FLOAT16, values);
    EXPECT_EQ(half.decoded(Codec::FLOAT16), (std::vector<float>{65504, -65504, 65504, INFINITY, -INFINITY}));
    EXPECT_EQ(half.residual[0], 70000 - 65504);
    const float most = 3.4028234e38f;
    EXPECT_EQ(encoded(Codec::BFLOAT16, {most}).decoded(Codec::BFLOAT16)[0],
              std::bit_cast<float>(0x7f7f0000u));
  });
}

TEST(Codec, Int8IsWithinHalfAStepOfTheBlocksLargest) {
  for_each_instruction_set([] {
    for (std::size_t count : COUNTS) {
      const auto values = normal_values(count);
      const auto decoded = encoded(Codec::INT8, values).decoded(Codec::INT8);
      for (std::size_t i = 0; i < count; ++i) {
        const std::size_t begin = i / BLOCK * BLOCK;
        float largest = 0;
        for (std::size_t k = begin; k < std::min(count, begin + BLOCK); ++k) {
          largest = std::max(largest, std::fabs(values[k]));
        }
        const double step = largest / 127.0;
        ASSERT_NEAR(decoded[i], step * std::nearbyint(values[i] / step), 1e-5 * step) << i;
      }
    }
  });
}

TEST(Codec, StochasticInt8IsRightInTheMean) {
  const auto values = normal_values(300);
  constexpr int DRAWS = 4000;
  std::vector<double> sums(values.size());
  for (int seed = 0; seed < DRAWS; ++seed) {
    const auto decoded = encoded(Codec::INT8_STOCHASTIC, values, seed).decoded(Codec::INT8_STOCHASTIC);
    for (std::size_t i = 0; i < values.size(); ++i) sums[i] += decoded[i];
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    // A step is at most 4/127, its deviation half of that; 5 deviations of the mean.
    EXPECT_NEAR(sums[i] / DRAWS, values[i], 5 * 0.5 * 4.0 / 127 / std::sqrt(DRAWS)) << i;
  }
}

TEST(Codec, OneBitIsTheSignTimesTheMeanMagnitudeOfTheBlock) {
  for_each_instruction_set([] {
    for (std::size_t count : COUNTS) {
      const auto values = normal_values(count);
      const auto decoded = encoded(Codec::ONE_BIT, values).decoded(Codec::ONE_BIT);
      for (std::size_t begin = 0; begin < count; begin += BLOCK) {
        const std::size_t end = std::min(count, begin + BLOCK);
        double sum = 0;
        for (std::size_t i = begin; i < end; ++i) sum += std::fabs(values[i]);
        const double mean = sum / static_cast<double>(end - begin);
        for (std::size_t i = begin; i < end; ++i) {
          ASSERT_NEAR(decoded[i], std::copysign(mean, values[i]), 1e-6 * mean) << i;
        }
      }
    }
  });
}

TEST(Codec, ResidualIsWhatWasLost) {
  for_each_instruction_set([] {
    for (Codec codec : CODECS) {
      SCOPED_TRACE(code(codec));
      const auto values = normal_values(1000);
      const auto before = normal_values(1000, 4);
      const auto carried = encoded(codec, values, before, 0.5, 0);
      const auto decoded = carried.decoded(codec);
      const auto kept = encoded(codec, values, before, 0, 1);
      const auto decoded_alone = kept.decoded(codec);
      for (std::size_t i = 0; i < values.size(); ++i) {
        ASSERT_EQ(carried.residual[i], values[i] + 0.5f * before[i] - decoded[i]) << i;
        ASSERT_EQ(kept.residual[i], before[i] + (values[i] - decoded_alone[i])) << i;
      }
    }
  });
}

/// What error feedback is for: over many steps nothing is lost, however coarse the codec.
TEST(Codec, WithItsResidualTheSumOfWhatIsSentIsTheSumOfTheValues) {
  for (Codec codec : CODECS) {
    SCOPED_TRACE(code(codec));
    constexpr int STEPS = 50;
    std::vector<double> wanted(500), sent(500);
    std::vector<float> residual(500);
    for (int step = 0; step < STEPS; ++step) {
      const auto values = normal_values(500, static_cast<std::uint64_t>(step));
      const auto message = encoded(codec, values, residual, 1, 0, step);
      residual = message.residual;
      const auto decoded = message.decoded(codec);
      for (std::size_t i = 0; i < values.size(); ++i) {
        wanted[i] += values[i];
        sent[i] += decoded[i];
      }
    }
    for (std::size_t i = 0; i < wanted.size(); ++i) ASSERT_NEAR(sent[i] + residual[i], wanted[i], 1e-3) << i;
  }
}

TEST(Codec, HasTheSameBytesOnEveryInstructionSet) {
  for (Codec codec : CODECS) {
    for (std::size_t count : COUNTS) {
      const auto values = normal_values(count);
      Encoded first;
      bool is_first = true;
      for_each_instruction_set([&] {
        auto own = encoded(codec, values, normal_values(count, 9), 0.25, 0);
        if (is_first) first = own;
        is_first = false;
        ASSERT_EQ(own.bytes, first.bytes) << code(codec) << " of " << count;
        ASSERT_EQ(own.residual, first.residual);
        ASSERT_EQ(own.decoded(codec), first.decoded(codec));
      });
    }
  }
}

TEST(Codec, WhatIsNotFiniteShowsAfterDecoding) {
  for_each_instruction_set([] {
    for (Codec codec : CODECS) {
      for (float bad : {NAN, -NAN, INFINITY, -INFINITY}) {
        auto values = normal_values(600);
        values[300] = bad;
        const auto decoded = encoded(codec, values).decoded(codec);
        EXPECT_FALSE(std::isfinite(decoded[300])) << code(codec) << " of " << bad;
        EXPECT_TRUE(std::isfinite(decoded[0]));
      }
    }
  });
}

TEST(Codec, ZerosAndTheSmallestNumbersAreFiniteAndLoseNothing) {
  for_each_instruction_set([] {
    for (Codec codec : CODECS) {
      for (float value : {0.0f, 1e-45f, -1e-38f}) {
        const std::vector<float> values(300, value);
        const auto message = encoded(codec, values);
        const auto decoded = message.decoded(codec);
        for (std::size_t i = 0; i < values.size(); ++i) {
          ASSERT_EQ(decoded[i] + message.residual[i], value) << code(codec);
        }
      }
    }
  });
}

TEST(Codec, DecodeAddsWhereAsked) {
  for_each_instruction_set([] {
    for (Codec codec : CODECS) {
      const auto message = encoded(codec, normal_values(777));
      const auto decoded = message.decoded(codec);
      auto sum = normal_values(777, 8);
      const auto before = sum;
      decode(code(codec), address(message.bytes), 777, address(sum), true);
      for (std::size_t i = 0; i < sum.size(); ++i) ASSERT_EQ(sum[i], before[i] + decoded[i]);
    }
  });
}

TEST(Codec, RefusesWhatCannotBe) {
  std::vector<float> values(4);
  std::vector<char> bytes(64);
  EXPECT_THROW(encoded_bytes(5, 4), Error);
  EXPECT_THROW(encoded_bytes(-1, 4), Error);
  EXPECT_THROW(encoded_bytes(0, -4), Error);
  EXPECT_THROW(encode(9, address(values), 4, address(bytes), 0, 1, 0, 0), Error);
  EXPECT_THROW(encode(0, 0, 4, address(bytes), 0, 1, 0, 0), Error);
  EXPECT_THROW(encode(0, address(values), 4, 0, 0, 1, 0, 0), Error);
  EXPECT_THROW(encode(0, address(values), 4, address(bytes), 0, NAN, 0, 0), Error);
  EXPECT_THROW(decode(0, 0, 4, address(values), false), Error);
  EXPECT_THROW(decode(0, address(bytes), -1, address(values), false), Error);
}

}  // namespace
}  // namespace lockstep

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "half_reference.h"
#include "instruction_sets.h"
#include "lockstep/error.h"
#include "lockstep/gradient.h"
#include "lockstep/types.h"

namespace lockstep {
namespace {

using test::for_each_instruction_set;

constexpr std::int32_t F32 = 0, F64 = 1, F16 = 2, BF16 = 3, I32 = 4;
constexpr std::pair<std::int32_t, test::HalfFormat> FORMATS[] = {{F16, test::F16}, {BF16, test::BF16}};

template <typename T>
std::int64_t address(const T* data) {
  return static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(data));
}

std::vector<std::uint16_t> all_halves() {
  std::vector<std::uint16_t> halves(1 << 16);
  for (std::size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<std::uint16_t>(i);
  return halves;
}

std::vector<std::uint16_t> narrow(const std::vector<float>& wide, std::int32_t type) {
  std::vector<std::uint16_t> halves(wide.size());
  convert(address(wide.data()), F32, address(halves.data()), type, static_cast<std::int64_t>(wide.size()));
  return halves;
}

std::vector<float> widen(const std::vector<std::uint16_t>& halves, std::int32_t type) {
  std::vector<float> wide(halves.size());
  convert(address(halves.data()), type, address(wide.data()), F32, static_cast<std::int64_t>(halves.size()));
  return wide;
}

void expect_same(float actual, float expected, std::size_t i) {
  if (std::isnan(expected)) {
    ASSERT_TRUE(std::isnan(actual)) << "half " << i;
  } else {
    ASSERT_EQ(std::bit_cast<std::uint32_t>(actual), std::bit_cast<std::uint32_t>(expected)) << "half " << i;
  }
}

TEST(Convert, WidensAll65536HalvesExactly) {
  for_each_instruction_set([] {
    for (const auto& [type, format] : FORMATS) {
      const auto halves = all_halves();
      const auto wide = widen(halves, type);
      for (std::size_t i = 0; i < wide.size(); ++i) expect_same(wide[i], format.widen(halves[i]), i);
    }
  });
}

TEST(Convert, ThereAndBackKeepsEveryHalf) {
  for_each_instruction_set([] {
    for (const auto& [type, format] : FORMATS) {
      const auto halves = all_halves();
      const auto back = narrow(widen(halves, type), type);
      for (std::size_t i = 0; i < back.size(); ++i) {
        const bool nan = std::isnan(format.widen(halves[i]));
        ASSERT_EQ(back[i], nan ? format.narrow(NAN) : halves[i]) << "half " << i;
      }
    }
  });
}

/// Around every half: the value itself, halfway to the next, and just beside that, where rounding turns.
TEST(Convert, RoundsToNearestEvenBetweenAllNeighbours) {
  for_each_instruction_set([] {
    for (const auto& [type, format] : FORMATS) {
      std::vector<float> values;
      for (std::uint16_t half : all_halves()) {
        const float here = format.widen(half);
        if (!std::isfinite(here)) continue;
        const float next = format.widen(static_cast<std::uint16_t>(half + 1));
        const float middle = std::isfinite(next) ? here / 2 + next / 2 : here;
        values.insert(values.end(), {middle, std::nextafter(middle, here), std::nextafter(middle, next)});
      }
      const auto halves = narrow(values, type);
      for (std::size_t i = 0; i < values.size(); ++i) {
        ASSERT_EQ(halves[i], format.narrow(values[i])) << std::hexfloat << values[i];
      }
    }
  });
}

TEST(Convert, NarrowsEveryKindOfFloat) {
  for_each_instruction_set([] {
    std::mt19937 random(5);
    std::vector<float> values = {0.0f,
                                 -0.0f,
                                 INFINITY,
                                 -INFINITY,
                                 NAN,
                                 -NAN,
                                 65504,
                                 65519.996f,
                                 65520,
                                 1e30f,
                                 -1e30f,
                                 3.4028234e38f,
                                 1e-45f,
                                 -1e-40f,
                                 0x1p-24f,
                                 0x1p-25f,
                                 0x1.000002p-25f,
                                 std::bit_cast<float>(0x7f800001u),
                                 std::bit_cast<float>(0xffbfffffu)};
    for (int i = 0; i < 200'000; ++i)
      values.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(random())));
    for (const auto& [type, format] : FORMATS) {
      const auto halves = narrow(values, type);
      for (std::size_t i = 0; i < values.size(); ++i) {
        ASSERT_EQ(halves[i], format.narrow(values[i])) << std::hexfloat << values[i];
      }
    }
  });
}

/// Lengths and alignments reach heads, tails and blocks, and nothing outside of the output is touched.
void expect_whole(std::size_t count, std::size_t offset) {
  std::vector<float> wide(count);
  for (std::size_t i = 0; i < count; ++i) wide[i] = static_cast<float>(i % 251) - 100;
  std::vector<std::uint16_t> halves(count + offset + 1, 0xabab);
  convert(address(wide.data()), F32, address(halves.data() + offset), BF16, static_cast<std::int64_t>(count));
  for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(halves[offset + i], test::BF16.narrow(wide[i])) << i;
  for (std::size_t i = 0; i < offset; ++i) ASSERT_EQ(halves[i], 0xabab);
  ASSERT_EQ(halves.back(), 0xabab);
  std::vector<float> back(count + offset + 1, -1.0f);
  convert(address(halves.data() + offset), BF16, address(back.data() + offset), F32,
          static_cast<std::int64_t>(count));
  for (std::size_t i = 0; i < count; ++i) {
    ASSERT_EQ(std::bit_cast<std::uint32_t>(back[offset + i]), std::bit_cast<std::uint32_t>(wide[i])) << i;
  }
  for (std::size_t i = 0; i < offset; ++i) ASSERT_EQ(back[i], -1.0f);
  ASSERT_EQ(back.back(), -1.0f);
}

TEST(Convert, EveryLengthAndAlignment) {
  for_each_instruction_set([] {
    for (std::size_t count = 0; count < 80; ++count) {
      for (std::size_t offset : {0, 1, 7, 31}) expect_whole(count, offset);
    }
  });
}

TEST(Convert, RefusesOtherTypesAndNull) {
  float value = 1;
  std::uint16_t half = 0;
  for (auto [from, to] : {std::pair{F32, F32}, {F32, F64}, {F16, BF16}, {I32, F32}, {F32, 99}, {-1, F32}}) {
    EXPECT_THROW(convert(address(&value), from, address(&half), to, 1), Error) << from << " to " << to;
  }
  EXPECT_THROW(convert(0, F32, address(&half), BF16, 1), Error);
  EXPECT_THROW(convert(address(&value), F32, 0, BF16, 1), Error);
  EXPECT_THROW(convert(address(&value), F32, address(&half), BF16, -1), Error);
  convert(0, F32, 0, F16, 0);
}

}  // namespace
}  // namespace lockstep

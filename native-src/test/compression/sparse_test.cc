#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
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

std::uint32_t magnitude(float value) { return std::bit_cast<std::uint32_t>(value) & 0x7fffffffu; }

std::vector<std::uint32_t> sorted_reference(const std::vector<float>& values, std::size_t wanted) {
  std::vector<std::uint32_t> indices(values.size());
  std::iota(indices.begin(), indices.end(), 0u);
  std::stable_sort(indices.begin(), indices.end(), [&](std::uint32_t a, std::uint32_t b) {
    return magnitude(values[a]) > magnitude(values[b]);
  });
  indices.resize(wanted);
  std::sort(indices.begin(), indices.end());
  return indices;
}

void expect_selection(const std::vector<float>& values, std::size_t wanted) {
  std::vector<std::uint32_t> indices(wanted + 1, 77);
  std::vector<float> selected(wanted + 1, 77);
  select_largest(address(values), static_cast<std::int64_t>(values.size()), static_cast<std::int64_t>(wanted),
                 address(indices), address(selected));
  ASSERT_EQ(indices.back(), 77u);
  ASSERT_EQ(selected.back(), 77.0f);
  indices.pop_back();
  ASSERT_EQ(indices, sorted_reference(values, wanted)) << wanted << " of " << values.size();
  for (std::size_t i = 0; i < wanted; ++i) {
    ASSERT_EQ(std::bit_cast<std::uint32_t>(selected[i]), std::bit_cast<std::uint32_t>(values[indices[i]]));
  }
}

TEST(SelectLargest, IsWhatSortingGives) {
  for_each_instruction_set([] {
    for (std::size_t count : {1, 31, 32, 33, 1000, 20011, 100'000}) {
      for (double share : {0.0, 0.001, 0.01, 0.25, 1.0}) {
        expect_selection(normal_values(count), static_cast<std::size_t>(share * static_cast<double>(count)));
      }
    }
  });
}

TEST(SelectLargest, TakesTheFirstOfEqualsAndNotANumberBeforeAll) {
  for_each_instruction_set([] {
    std::vector<float> equal(5000, -2.0f);
    expect_selection(equal, 100);
    expect_selection(std::vector<float>(5000, 0.0f), 100);
    equal[4000] = NAN;
    equal[4500] = -INFINITY;
    expect_selection(equal, 2);
    expect_selection(equal, 3);
  });
}

TEST(SelectLargest, IsExactWhereASampleMisleads) {
  for_each_instruction_set([] {
    // Every 13th element is large: those that a stride of 13 would see, and those that it would miss.
    for (std::size_t phase : {0, 5}) {
      auto values = normal_values(8192 * 13);
      for (std::size_t i = phase; i < values.size(); i += 13) values[i] += 100;
      expect_selection(values, 1000);
      expect_selection(values, 20'000);
    }
  });
}

TEST(Accumulate, FollowsItsFormulae) {
  for_each_instruction_set([] {
    const auto g = normal_values(1003, 1), u0 = normal_values(1003, 2), v0 = normal_values(1003, 3);
    auto u = u0, v = v0, plain = v0;
    accumulate(address(g), 1003, address(u), 0.9, address(v), 0.5);
    accumulate(address(g), 1003, 0, 0.9, address(plain), 0.5);
    for (std::size_t i = 0; i < g.size(); ++i) {
      ASSERT_EQ(u[i], 0.9f * u0[i] + g[i]);
      ASSERT_EQ(v[i], 0.5f * v0[i] + u[i]);
      ASSERT_EQ(plain[i], 0.5f * v0[i] + g[i]);
    }
  });
}

TEST(Scatter, AddsAndClearsAtItsIndicesAlone) {
  std::vector<float> output(10, 1.0f);
  const std::vector<std::uint32_t> indices = {0, 3, 9};
  const std::vector<float> values = {5, 6, 7};
  scatter_add(address(indices), address(values), 3, address(output), 10);
  EXPECT_EQ(output, (std::vector<float>{6, 1, 1, 7, 1, 1, 1, 1, 1, 8}));
  scatter_zero(address(indices), 3, address(output), 10);
  EXPECT_EQ(output, (std::vector<float>{0, 1, 1, 0, 1, 1, 1, 1, 1, 0}));
}

TEST(Scatter, RefusesAnIndexOutsideBeforeItWrites) {
  std::vector<float> output(10, 1.0f);
  const std::vector<std::uint32_t> indices = {0, 10};
  const std::vector<float> values = {5, 6};
  EXPECT_THROW(scatter_add(address(indices), address(values), 2, address(output), 10), Error);
  EXPECT_THROW(scatter_zero(address(indices), 2, address(output), 10), Error);
  EXPECT_EQ(output, std::vector<float>(10, 1.0f));
}

TEST(Sparse, RefusesWhatCannotBe) {
  std::vector<float> values(4);
  std::vector<std::uint32_t> indices(4);
  EXPECT_THROW(select_largest(address(values), 4, 5, address(indices), address(values)), Error);
  EXPECT_THROW(select_largest(address(values), 4, -1, address(indices), address(values)), Error);
  EXPECT_THROW(select_largest(0, 4, 1, address(indices), address(values)), Error);
  EXPECT_THROW(select_largest(address(values), std::int64_t{1} << 32, 1, address(indices), address(values)),
               Error);
  EXPECT_THROW(accumulate(address(values), 4, 0, 0, 0, 1), Error);
  EXPECT_THROW(accumulate(address(values), -4, 0, 0, address(values), 1), Error);
}

}  // namespace
}  // namespace lockstep

#pragma once

/// @file
/// What tests of the compression kernels compute on.

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace lockstep::test {

template <typename T>
std::int64_t address(const std::vector<T>& data) {
  return static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(data.data()));
}

inline std::vector<float> normal_values(std::size_t count, std::uint64_t seed = 3) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

}  // namespace lockstep::test

#pragma once

/// @file
/// Randomness as a function of (seed, purpose, round, row): no state, so that it does not matter which rank
/// draws it.

#include <cstdint>

#include "learning/elementary.h"

namespace lockstep::learning {

/// The output function of SplitMix64 (Steele, Lea, Flood 2014).
constexpr std::uint64_t mix(std::uint64_t bits) {
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9u;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebu;
  return bits ^ (bits >> 31);
}

constexpr std::uint64_t combine(std::uint64_t hash, std::uint64_t value) {
  return mix((hash ^ value) * 0x9e3779b97f4a7c15u + 0x632be59bd9b4e019u);
}

enum class Purpose : std::uint64_t {
  SEED = 1,
  SAMPLE = 2,
  BATCH = 3,
  SILHOUETTE = 4,
  BOOTSTRAP = 5,
  FEATURES = 6,
  BAGGING = 7,
  VALIDATION = 8,
  PERMUTATION = 9
};

/// One stream of draws, by row or by whatever else has a number.
class Draws {
 public:
  Draws(std::uint64_t seed, Purpose purpose, std::uint64_t round)
      : key_(combine(combine(mix(seed), static_cast<std::uint64_t>(purpose)), round)) {}

  std::uint64_t bits(std::uint64_t id) const { return combine(key_, id); }
  /// Uniform in (0, 1).
  double uniform(std::uint64_t id) const { return (static_cast<double>(bits(id) >> 11) + 0.5) * 0x1p-53; }
  /// Standard exponential. The smallest of exponential(i) ÷ wᵢ belongs to i with probability wᵢ ÷ Σw, and the
  /// m smallest are a weighted sample without replacement (Efraimidis and Spirakis 2006).
  double exponential(std::uint64_t id) const { return -log_of(uniform(id)); }

 private:
  std::uint64_t key_;
};

}  // namespace lockstep::learning

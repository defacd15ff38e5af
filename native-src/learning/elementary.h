#pragma once

/// @file
/// Exponential and logarithm from operations that IEEE 754 rounds correctly: libm's have other last bits on
/// other CPUs and versions, and these numbers decide what is sampled and which gradient a row has. Errors are
/// a few units in the last place.

#include <bit>
#include <cstdint>

namespace lockstep::learning {

/// e^x; 0 below −745, infinity above 709.8.
inline double exp_of(double x) {
  if (x != x) return x;
  if (x > 709.8) return __builtin_inf();
  if (x < -745) return 0;
  constexpr double LOG2_E = 1.4426950408889634, LN2_HIGH = 0x1.62e42fefa0000p-1,
                   LN2_LOW = 0x1.cf79abc9e3b3ap-40;
  const double magic = 0x1.8p52;
  const double shifted = x * LOG2_E + magic;
  const double n = shifted - magic;
  const double r = (x - n * LN2_HIGH) - n * LN2_LOW;  // |r| ≤ ln 2 ÷ 2
  double sum = 1.0 / 6227020800;                      // Taylor to the 13th power: below 2^-57
  constexpr double INVERSE[] = {
      1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040, 1.0 / 720,
      1.0 / 120,       1.0 / 24,       1.0 / 6,       0.5,          1.0,         1.0};
  for (const double coefficient : INVERSE) sum = sum * r + coefficient;
  const auto exponent = static_cast<std::int64_t>(n);
  // Two factors, because 2^n alone may be subnormal or too large.
  const std::int64_t half = exponent / 2;
  const double first = std::bit_cast<double>(static_cast<std::uint64_t>(half + 1023) << 52);
  const double second = std::bit_cast<double>(static_cast<std::uint64_t>(exponent - half + 1023) << 52);
  return sum * first * second;
}

/// Natural logarithm of a positive normal number.
inline double log_of(double x) {
  const auto bits = std::bit_cast<std::uint64_t>(x);
  auto exponent = static_cast<std::int64_t>(bits >> 52) - 1023;
  double mantissa = std::bit_cast<double>((bits & 0x000fffffffffffffu) | 0x3ff0000000000000u);
  if (mantissa > 1.4142135623730951) {
    mantissa *= 0.5;
    ++exponent;
  }
  // log m = 2 artanh s with s = (m − 1) ÷ (m + 1), |s| ≤ 0.1716: the series to s^23 leaves less than 2^-63.
  const double s = (mantissa - 1) / (mantissa + 1), square = s * s;
  double series = 1.0 / 23;
  for (int odd = 21; odd >= 3; odd -= 2) series = series * square + 1.0 / odd;
  const double value = 2 * s + 2 * s * square * series;
  constexpr double LN2_HIGH = 0x1.62e42fefa0000p-1, LN2_LOW = 0x1.cf79abc9e3b3ap-40;
  const auto n = static_cast<double>(exponent);
  return n * LN2_HIGH + (value + n * LN2_LOW);
}

}  // namespace lockstep::learning

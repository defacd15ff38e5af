#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace lockstep::test {

/// A 16-bit floating-point format straight from its definition in IEEE 754: slow, and independent of the
/// kernels.
struct HalfFormat {
  int mantissa_bits;
  int smallest_exponent;

  float widen(std::uint16_t bits) const {
    int fraction = bits & ((1 << mantissa_bits) - 1);
    int exponent = (bits & 0x7fff) >> mantissa_bits;
    int exponent_of_specials = 0x7fff >> mantissa_bits;
    float magnitude;
    if (exponent == exponent_of_specials) {
      magnitude =
          fraction == 0 ? std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
    } else if (exponent == 0) {
      magnitude = std::ldexp(static_cast<float>(fraction), smallest_exponent - mantissa_bits);
    } else {
      magnitude = std::ldexp(static_cast<float>(fraction + (1 << mantissa_bits)),
                             exponent - 1 + smallest_exponent - mantissa_bits);
    }
    return (bits & 0x8000) != 0 ? -magnitude : magnitude;
  }

  /// The nearest value, the even one of two; NaN becomes the positive quiet NaN.
  std::uint16_t narrow(float value) const {
    int infinity = (0x7fff >> mantissa_bits) << mantissa_bits;
    if (std::isnan(value)) return static_cast<std::uint16_t>(infinity | 1 << (mantissa_bits - 1));
    int sign = std::signbit(value) ? 0x8000 : 0;
    double magnitude = std::fabs(static_cast<double>(value));
    if (std::isinf(value)) return static_cast<std::uint16_t>(sign | infinity);
    int exponent = magnitude == 0 ? smallest_exponent : std::max(std::ilogb(magnitude), smallest_exponent);
    // In units of the last place; the carry out of the mantissa moves into the exponent by itself.
    double units = std::nearbyint(std::ldexp(magnitude, mantissa_bits - exponent));
    int bits = ((exponent - smallest_exponent) << mantissa_bits) + static_cast<int>(units);
    return static_cast<std::uint16_t>(sign | std::min(bits, infinity));
  }
};

inline constexpr HalfFormat F16{10, -14};
inline constexpr HalfFormat BF16{7, -126};

}  // namespace lockstep::test

#pragma once

/// @file
/// Blocks of F16 and BF16 to f32 and back, for *_kernels.cc files only: compiled for each instruction set
/// into its own namespace, so that the linker never merges code of one variant into another. For the same
/// reason these files call no inline function of the standard library.

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__F16C__)
#include <immintrin.h>
#endif

#if defined(__clang__)
/// The iterations of the next loop do not depend on each other, even where the pointers are equal.
#define LOCKSTEP_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define LOCKSTEP_INDEPENDENT _Pragma("GCC ivdep")
#endif

namespace lockstep::LOCKSTEP_ISA {

/// Elements that the half-precision kernels widen at a time: two or three blocks of f32 stay in the L1 cache.
constexpr std::size_t BLOCK = 512;

/// Reads and writes an element at an address of any alignment and any declared type.
template <typename T>
inline T load(const void* data, std::size_t index) {
  T value;
  std::memcpy(&value, static_cast<const char*>(data) + index * sizeof(T), sizeof(T));
  return value;
}

template <typename T>
inline void store(void* data, std::size_t index, T value) {
  std::memcpy(static_cast<char*>(data) + index * sizeof(T), &value, sizeof(T));
}

/// bfloat16, the upper half of a binary32.
struct Bf16 {
  using Storage = std::uint16_t;

  static float widen(std::uint16_t bits) {
    return __builtin_bit_cast(float, static_cast<std::uint32_t>(bits) << 16);
  }

  static std::uint16_t narrow(float value) {
    std::uint32_t bits = __builtin_bit_cast(std::uint32_t, value);
    std::uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    return static_cast<std::uint16_t>((bits & 0x7fffffffu) > 0x7f800000u ? 0x7fc0u : rounded);
  }
};

/// IEEE 754 binary16.
struct F16 {
  using Storage = std::uint16_t;

  static float widen(std::uint16_t bits) {
    std::uint32_t sign = (bits & 0x8000u) << 16;
    std::uint32_t magnitude = (bits & 0x7fffu) << 13;
    constexpr std::uint32_t REBIAS = (127u - 15u) << 23;
    std::uint32_t normal = magnitude + REBIAS + (magnitude >= 0x0f800000u ? REBIAS : 0u);
    // A subnormal is mantissa · 2^-24; with the exponent of 2^-14 in front it lies 2^-14 too high, exactly.
    float subnormal = __builtin_bit_cast(float, magnitude + REBIAS + (1u << 23)) - 0x1p-14f;
    std::uint32_t small = __builtin_bit_cast(std::uint32_t, subnormal);
    return __builtin_bit_cast(float, sign | (magnitude < 0x00800000u ? small : normal));
  }

  static std::uint16_t narrow(float value) {
    std::uint32_t bits = __builtin_bit_cast(std::uint32_t, value);
    std::uint32_t sign = (bits >> 16) & 0x8000u;
    std::uint32_t magnitude = bits & 0x7fffffffu;
    constexpr std::uint32_t REBIAS = (127u - 15u) << 23;
    std::uint32_t normal = (magnitude - REBIAS + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
    // Below 2^-14 the last place of a binary16 is 2^-24, that of a float just above 1/2: the addition rounds.
    float shifted = __builtin_bit_cast(float, magnitude < 0x38800000u ? magnitude : 0u) + 0.5f;
    std::uint32_t subnormal = __builtin_bit_cast(std::uint32_t, shifted) - 0x3f000000u;
    std::uint32_t finite = magnitude < 0x38800000u ? subnormal : normal;
    std::uint32_t special = magnitude > 0x7f800000u ? 0x7e00u : 0x7c00u;
    // NaN loses its sign with its payload, as everywhere in these kernels.
    std::uint32_t kept_sign = magnitude > 0x7f800000u ? 0u : sign;
    return static_cast<std::uint16_t>(kept_sign | (magnitude >= 0x47800000u ? special : finite));
  }
};

template <typename Format>
inline void widen_block(float* out, const void* in, std::size_t count) {
  std::size_t i = 0;
#if defined(__F16C__)
  if constexpr (__is_same(Format, F16)) {
    const auto* halves = static_cast<const char*>(in);
    for (; i + 8 <= count; i += 8) {
      __m128i eight = _mm_loadu_si128(reinterpret_cast<const __m128i*>(halves + i * sizeof(std::uint16_t)));
      _mm256_storeu_ps(out + i, _mm256_cvtph_ps(eight));
    }
  }
#endif
  LOCKSTEP_INDEPENDENT
  for (; i < count; ++i) out[i] = Format::widen(load<std::uint16_t>(in, i));
}

template <typename Format>
inline void narrow_block(void* out, const float* in, std::size_t count) {
  std::size_t i = 0;
#if defined(__F16C__)
  if constexpr (__is_same(Format, F16)) {
    auto* halves = static_cast<char*>(out);
    const __m256 not_a_number = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fc00000));
    for (; i + 8 <= count; i += 8) {
      __m256 wide = _mm256_loadu_ps(in + i);
      wide = _mm256_blendv_ps(wide, not_a_number, _mm256_cmp_ps(wide, wide, _CMP_UNORD_Q));
      __m128i eight = _mm256_cvtps_ph(wide, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
      _mm_storeu_si128(reinterpret_cast<__m128i*>(halves + i * sizeof(std::uint16_t)), eight);
    }
  }
#endif
  LOCKSTEP_INDEPENDENT
  for (; i < count; ++i) store<std::uint16_t>(out, i, Format::narrow(in[i]));
}

}  // namespace lockstep::LOCKSTEP_ISA

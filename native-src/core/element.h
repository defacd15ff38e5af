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

/// An element that is computed with as it is stored, at an address of any alignment and any declared type.
template <typename T>
struct Plain {
  using Value = T;

  static T read(const void* data, std::size_t index) {
    T value;
    std::memcpy(&value, static_cast<const char*>(data) + index * sizeof(T), sizeof(T));
    return value;
  }

  static void write(void* data, std::size_t index, T value) {
    std::memcpy(static_cast<char*>(data) + index * sizeof(T), &value, sizeof(T));
  }
};

using F32 = Plain<float>;
using F64 = Plain<double>;
using Half = Plain<std::uint16_t>;

/// bfloat16, the upper half of a binary32; computed with as f32, rounded to nearest even.
struct Bf16 {
  using Value = float;

  static float read(const void* data, std::size_t index) {
    return __builtin_bit_cast(float, static_cast<std::uint32_t>(Half::read(data, index)) << 16);
  }

  static void write(void* data, std::size_t index, float value) {
    std::uint32_t bits = __builtin_bit_cast(std::uint32_t, value);
    std::uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    Half::write(data, index, static_cast<std::uint16_t>(value != value ? 0x7fc0u : rounded));
  }
};

/// IEEE 754 binary16; computed with as f32, rounded to nearest even.
struct F16 {
  using Value = float;

  static float read(const void* data, std::size_t index) {
    std::int32_t bits = Half::read(data, index);
    std::int32_t sign = (bits & 0x8000) << 16;
    std::int32_t magnitude = (bits & 0x7fff) << 13;
    std::int32_t normal = magnitude + REBIAS + (magnitude >= 0x0f800000 ? REBIAS : 0);
    // A subnormal is mantissa · 2^-24; with the exponent of 2^-14 in front it lies 2^-14 too high, exactly.
    float subnormal = __builtin_bit_cast(float, magnitude + REBIAS + (1 << 23)) - 0x1p-14f;
    std::int32_t small = __builtin_bit_cast(std::int32_t, subnormal);
    return __builtin_bit_cast(float, sign | (magnitude < 0x00800000 ? small : normal));
  }

  static void write(void* data, std::size_t index, float value) {
    std::int32_t bits = __builtin_bit_cast(std::int32_t, value);
    std::int32_t sign = (bits >> 16) & 0x8000;
    std::int32_t magnitude = bits & 0x7fffffff;
    std::int32_t normal = (magnitude - REBIAS + 0xfff + ((magnitude >> 13) & 1)) >> 13;
    // Below 2^-14 the last place of a binary16 is 2^-24, that of a float just above 1/2: the addition rounds.
    float shifted = __builtin_bit_cast(float, magnitude < 0x38800000 ? magnitude : 0) + 0.5f;
    std::int32_t subnormal = __builtin_bit_cast(std::int32_t, shifted) - 0x3f000000;
    std::int32_t finite = magnitude < 0x38800000 ? subnormal : normal;
    std::int32_t number = sign | (magnitude >= 0x47800000 ? 0x7c00 : finite);
    // NaN loses its sign with its payload, as everywhere in these kernels.
    Half::write(data, index, static_cast<std::uint16_t>(magnitude > 0x7f800000 ? 0x7e00 : number));
  }

 private:
  /// Difference of the exponents' biases, in place in a binary32.
  static constexpr std::int32_t REBIAS = (127 - 15) << 23;
};

/// Elements of F16 that are widened at a time: two or three blocks of f32 stay in the L1 cache.
constexpr std::size_t BLOCK = 512;

#if defined(__AVX512F__)
/// The masked forms spare GCC 12 a false warning that those without a mask read an undefined register.
constexpr __mmask16 ALL = 0xffff;
#endif

inline void widen_f16(float* out, const void* in, std::size_t count) {
  std::size_t i = 0;
#if defined(__AVX512F__)
  for (; i + 16 <= count; i += 16) {
    auto halves = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(static_cast<const char*>(in) + 2 * i));
    _mm512_storeu_ps(out + i, _mm512_maskz_cvtph_ps(ALL, halves));
  }
#elif defined(__F16C__)
  for (; i + 8 <= count; i += 8) {
    auto halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(static_cast<const char*>(in) + 2 * i));
    _mm256_storeu_ps(out + i, _mm256_cvtph_ps(halves));
  }
#endif
  LOCKSTEP_INDEPENDENT
  for (std::size_t k = i; k < count; ++k) out[k] = F16::read(in, k);
}

inline void narrow_f16(void* out, const float* in, std::size_t count) {
  std::size_t i = 0;
#if defined(__AVX512F__)
  for (; i + 16 <= count; i += 16) {
    __m512 wide = _mm512_loadu_ps(in + i);
    __mmask16 not_a_number = _mm512_cmp_ps_mask(wide, wide, _CMP_UNORD_Q);
    wide = _mm512_mask_mov_ps(wide, not_a_number, _mm512_set1_ps(__builtin_nanf("")));
    auto halves = _mm512_maskz_cvtps_ph(ALL, wide, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(static_cast<char*>(out) + 2 * i), halves);
  }
#elif defined(__F16C__)
  for (; i + 8 <= count; i += 8) {
    __m256 wide = _mm256_loadu_ps(in + i);
    __m256 not_a_number = _mm256_cmp_ps(wide, wide, _CMP_UNORD_Q);
    wide = _mm256_blendv_ps(wide, _mm256_set1_ps(__builtin_nanf("")), not_a_number);
    auto halves = _mm256_cvtps_ph(wide, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(static_cast<char*>(out) + 2 * i), halves);
  }
#endif
  LOCKSTEP_INDEPENDENT
  for (std::size_t k = i; k < count; ++k) F16::write(out, k, in[k]);
}

/// Lets `update(wide, begin, size)` work on each block of `data`, widened, and rounds the block back.
template <typename Update>
inline void update_f16(void* data, std::size_t count, Update update) {
  alignas(64) float wide[BLOCK];
  for (std::size_t begin = 0; begin < count; begin += BLOCK) {
    std::size_t size = count - begin < BLOCK ? count - begin : BLOCK;
    char* halves = static_cast<char*>(data) + begin * sizeof(std::uint16_t);
    widen_f16(wide, halves, size);
    update(wide, begin, size);
    narrow_f16(halves, wide, size);
  }
}

/// As update_f16, with a second, read-only operand: `update(wide, wide_source, begin, size)`.
template <typename Update>
inline void update_f16_from(void* data, const void* source, std::size_t count, Update update) {
  alignas(64) float wide_source[BLOCK];
  update_f16(data, count, [&](float* wide, std::size_t begin, std::size_t size) {
    widen_f16(wide_source, static_cast<const char*>(source) + begin * sizeof(std::uint16_t), size);
    update(wide, wide_source, begin, size);
  });
}

}  // namespace lockstep::LOCKSTEP_ISA

#include "compression/codec_kernels.h"

#include "core/element.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace lockstep::LOCKSTEP_ISA {
namespace {

constexpr std::uint32_t MAGNITUDE = 0x7fffffff, INFINITE = 0x7f800000;

std::size_t least(std::size_t a, std::size_t b) { return a < b ? a : b; }

/// Up to SCALE_BLOCK values with what is carried along; zeros behind the last of them.
void load(const Encoding& encoding, std::size_t begin, std::size_t size, float* v) {
  if (encoding.residual == nullptr) {
    LOCKSTEP_INDEPENDENT
    for (std::size_t i = 0; i < size; ++i) v[i] = F32::read(encoding.values, begin + i);
  } else {
    const float carry = encoding.carry;
    LOCKSTEP_INDEPENDENT
    for (std::size_t i = 0; i < size; ++i) {
      v[i] = F32::read(encoding.values, begin + i) + carry * F32::read(encoding.residual, begin + i);
    }
  }
  for (std::size_t i = size; i < SCALE_BLOCK; ++i) v[i] = 0;
}

void leave(const Encoding& encoding, std::size_t begin, std::size_t size, const float* v,
           const float* decoded) {
  if (encoding.residual == nullptr) return;
  const float keep = encoding.keep;
  void* const residual = encoding.residual;
  LOCKSTEP_INDEPENDENT
  for (std::size_t i = 0; i < size; ++i) {
    F32::write(residual, begin + i, keep * F32::read(residual, begin + i) + (v[i] - decoded[i]));
  }
}

/// A codec works on blocks: encode() fills `decoded` with what decode() will give.
template <typename Block>
void encode(const Encoding& encoding) {
  alignas(64) float v[SCALE_BLOCK];
  alignas(64) float decoded[SCALE_BLOCK];
  const Block block(encoding.output, encoding.count, encoding.seed);
  for (std::size_t begin = 0; begin < encoding.count; begin += SCALE_BLOCK) {
    const std::size_t size = least(SCALE_BLOCK, encoding.count - begin);
    load(encoding, begin, size, v);
    block.encode(begin, size, v, decoded);
    leave(encoding, begin, size, v, decoded);
  }
}

template <typename Block>
void decode(const void* input, std::size_t count, void* output, bool add) {
  alignas(64) float decoded[SCALE_BLOCK];
  // Decoding does not write.
  const Block block(const_cast<void*>(input), count, 0);
  for (std::size_t begin = 0; begin < count; begin += SCALE_BLOCK) {
    const std::size_t size = least(SCALE_BLOCK, count - begin);
    block.decode(begin, size, decoded);
    if (add) {
      LOCKSTEP_INDEPENDENT
      for (std::size_t i = 0; i < size; ++i) {
        F32::write(output, begin + i, F32::read(output, begin + i) + decoded[i]);
      }
    } else {
      std::memcpy(static_cast<char*>(output) + begin * sizeof(float), decoded, size * sizeof(float));
    }
  }
}

/// 16 bits a value. A finite one beyond the format's range is cut off, and the residual keeps the rest.
class HalfBlock {
 public:
  HalfBlock(void* memory, float largest) : memory_(static_cast<char*>(memory)), largest_(largest) {}

 protected:
  char* at(std::size_t begin) const { return memory_ + begin * sizeof(std::uint16_t); }

  void clamp(const float* v, float* clamped) const {
    LOCKSTEP_INDEPENDENT
    for (std::size_t i = 0; i < SCALE_BLOCK; ++i) {
      const bool finite = (__builtin_bit_cast(std::uint32_t, v[i]) & MAGNITUDE) < INFINITE;
      float value = v[i] > largest_ ? largest_ : v[i];
      value = value < -largest_ ? -largest_ : value;
      clamped[i] = finite ? value : v[i];
    }
  }

 private:
  char* memory_;
  float largest_;
};

class Float16Block : public HalfBlock {
 public:
  Float16Block(void* memory, std::size_t, std::uint32_t) : HalfBlock(memory, 65504.0f) {}

  void encode(std::size_t begin, std::size_t size, const float* v, float* decoded) const {
    alignas(64) float clamped[SCALE_BLOCK];
    clamp(v, clamped);
    narrow_f16(at(begin), clamped, size);
    widen_f16(decoded, at(begin), size);
  }

  void decode(std::size_t begin, std::size_t size, float* decoded) const {
    widen_f16(decoded, at(begin), size);
  }
};

class BFloat16Block : public HalfBlock {
 public:
  BFloat16Block(void* memory, std::size_t, std::uint32_t)
      : HalfBlock(memory, __builtin_bit_cast(float, 0x7f7f0000u)) {}

  void encode(std::size_t begin, std::size_t size, const float* v, float* decoded) const {
    alignas(64) float clamped[SCALE_BLOCK];
    clamp(v, clamped);
    char* const halves = at(begin);
    LOCKSTEP_INDEPENDENT
    for (std::size_t i = 0; i < size; ++i) Bf16::write(halves, i, clamped[i]);
    decode(begin, size, decoded);
  }

  void decode(std::size_t begin, std::size_t size, float* decoded) const {
    const char* const halves = at(begin);
    LOCKSTEP_INDEPENDENT
    for (std::size_t i = 0; i < size; ++i) decoded[i] = Bf16::read(halves, i);
  }
};

/// Blocks with a scale; the scales of all lie in front of the codes.
class ScaledBlock {
 public:
  ScaledBlock(void* memory, std::size_t count)
      : scales_(static_cast<char*>(memory)),
        codes_(scales_ + (count + SCALE_BLOCK - 1) / SCALE_BLOCK * sizeof(float)) {}

 protected:
  float scale(std::size_t begin) const { return F32::read(scales_, begin / SCALE_BLOCK); }
  void set_scale(std::size_t begin, float scale) const { F32::write(scales_, begin / SCALE_BLOCK, scale); }
  char* codes() const { return codes_; }

 private:
  char* scales_;
  char* codes_;
};

/// NaN if one of the values is not finite.
float largest_magnitude(const float* v) {
  std::uint32_t largest = 0;
  for (std::size_t i = 0; i < SCALE_BLOCK; ++i) {
    const std::uint32_t bits = __builtin_bit_cast(std::uint32_t, v[i]) & MAGNITUDE;
    largest = largest > bits ? largest : bits;
  }
  return largest < INFINITE ? __builtin_bit_cast(float, largest) : __builtin_nanf("");
}

/// The nearest integer of a number under 2²²; ties to even.
struct Nearest {
  explicit Nearest(std::uint32_t) {}
  std::int32_t operator()(float value, std::uint32_t) const {
    constexpr float TO_INTEGERS = 12582912.0f;  // 1.5·2²³
    return static_cast<std::int32_t>((value + TO_INTEGERS) - TO_INTEGERS);
  }
};

/// ⌊value + u⌋ with u from [0, 1), by the index of the value (the finalizer of MurmurHash3).
struct Stochastic {
  explicit Stochastic(std::uint32_t seed) : seed(seed) {}
  std::int32_t operator()(float value, std::uint32_t index) const {
    std::uint32_t hash = index * 0x9e3779b9u + seed;
    hash = (hash ^ (hash >> 16)) * 0x85ebca6bu;
    hash = (hash ^ (hash >> 13)) * 0xc2b2ae35u;
    hash ^= hash >> 16;
    const float raised = value + static_cast<float>(static_cast<std::int32_t>(hash >> 8)) * 0x1p-24f;
    const std::int32_t whole = static_cast<std::int32_t>(raised);
    return whole - (static_cast<float>(whole) > raised ? 1 : 0);
  }
  std::uint32_t seed;
};

template <typename Rounding>
class Int8Block : public ScaledBlock {
 public:
  Int8Block(void* memory, std::size_t count, std::uint32_t seed)
      : ScaledBlock(memory, count), rounding_(seed) {}

  void encode(std::size_t begin, std::size_t size, const float* v, float* decoded) const {
    const float largest = largest_magnitude(v);
    // Of a block this small the residual keeps everything; its inverse may be infinite.
    const bool tiny = largest < 1e-30f;
    const float scale = tiny ? 0 : largest / 127;
    const float inverse = largest != largest || tiny ? 0 : 127 / largest;
    alignas(64) std::int8_t codes[SCALE_BLOCK];
    LOCKSTEP_INDEPENDENT
    for (std::size_t i = 0; i < SCALE_BLOCK; ++i) {
      // A value that is not finite is worth nothing here: its scale tells.
      const float scaled = inverse == 0 ? 0 : v[i] * inverse;
      std::int32_t code = rounding_(scaled, static_cast<std::uint32_t>(begin + i));
      code = code > 127 ? 127 : code;
      code = code < -127 ? -127 : code;
      codes[i] = static_cast<std::int8_t>(code);
      decoded[i] = static_cast<float>(code) * scale;
    }
    set_scale(begin, scale);
    std::memcpy(this->codes() + begin, codes, size);
  }

  void decode(std::size_t begin, std::size_t size, float* decoded) const {
    const float scale = this->scale(begin);
    alignas(64) std::int8_t codes[SCALE_BLOCK] = {};
    std::memcpy(codes, this->codes() + begin, size);
    LOCKSTEP_INDEPENDENT
    for (std::size_t i = 0; i < SCALE_BLOCK; ++i) decoded[i] = static_cast<float>(codes[i]) * scale;
  }

 private:
  Rounding rounding_;
};

/// Σ|v| in an order that is the same whatever the vectors' width.
float sum_of_magnitudes(const float* v) {
  constexpr std::size_t LANES = 16;
  float lanes[LANES] = {};
  for (std::size_t i = 0; i < SCALE_BLOCK; i += LANES) {
    for (std::size_t l = 0; l < LANES; ++l) lanes[l] += __builtin_fabsf(v[i + l]);
  }
  for (std::size_t half = LANES / 2; half > 0; half /= 2) {
    for (std::size_t l = 0; l < half; ++l) lanes[l] += lanes[l + half];
  }
  return lanes[0];
}

/// Bit i mod 8 of byte i ÷ 8 is set where value i is negative.
class OneBitBlock : public ScaledBlock {
 public:
  OneBitBlock(void* memory, std::size_t count, std::uint32_t) : ScaledBlock(memory, count) {}

  void encode(std::size_t begin, std::size_t size, const float* v, float* decoded) const {
    unsigned char signs[SCALE_BLOCK / 8];
    for (std::size_t byte = 0; byte < SCALE_BLOCK / 8; ++byte) signs[byte] = signs_of(v + 8 * byte);
    const float scale = sum_of_magnitudes(v) / static_cast<float>(size);
    set_scale(begin, scale);
    std::memcpy(codes() + begin / 8, signs, (size + 7) / 8);
    expand(signs, scale, decoded);
  }

  void decode(std::size_t begin, std::size_t size, float* decoded) const {
    unsigned char signs[SCALE_BLOCK / 8] = {};
    std::memcpy(signs, codes() + begin / 8, (size + 7) / 8);
    expand(signs, scale(begin), decoded);
  }

 private:
  static unsigned char signs_of(const float* v) {
#if defined(__AVX2__)
    return static_cast<unsigned char>(_mm256_movemask_ps(_mm256_loadu_ps(v)));
#else
    unsigned signs = 0;
    for (unsigned i = 0; i < 8; ++i) signs |= (__builtin_bit_cast(std::uint32_t, v[i]) >> 31) << i;
    return static_cast<unsigned char>(signs);
#endif
  }

  static void expand(const unsigned char* signs, float scale, float* decoded) {
#if defined(__AVX2__)
    const __m256i bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    const __m256 positive = _mm256_set1_ps(scale), negative = _mm256_set1_ps(-scale);
    for (std::size_t byte = 0; byte < SCALE_BLOCK / 8; ++byte) {
      const __m256i set = _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32(signs[byte]), bit), bit);
      _mm256_storeu_ps(decoded + 8 * byte, _mm256_blendv_ps(positive, negative, _mm256_castsi256_ps(set)));
    }
#else
    for (std::size_t i = 0; i < SCALE_BLOCK; ++i) {
      decoded[i] = ((signs[i / 8] >> (i % 8)) & 1) != 0 ? -scale : scale;
    }
#endif
  }
};

}  // namespace

extern const CodecKernels codec_kernels = {
    {encode<Float16Block>, encode<BFloat16Block>, encode<Int8Block<Nearest>>, encode<Int8Block<Stochastic>>,
     encode<OneBitBlock>},
    {decode<Float16Block>, decode<BFloat16Block>, decode<Int8Block<Nearest>>, decode<Int8Block<Nearest>>,
     decode<OneBitBlock>}};

}  // namespace lockstep::LOCKSTEP_ISA

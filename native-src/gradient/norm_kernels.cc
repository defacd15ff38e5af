#include "gradient/norm_kernels.h"

#include "core/element.h"

namespace lockstep::LOCKSTEP_ISA {
namespace {

// Element i is added to lane i mod 32, and the lanes are added pairwise at the end. That fixes the order for
// every instruction set, whatever the width of its vectors; several of them hide the latency of the
// additions.
constexpr std::size_t LANES = 32;

#if defined(__AVX512F__)
constexpr std::size_t WIDTH = 8;
#elif defined(__AVX2__)
constexpr std::size_t WIDTH = 4;
#else
constexpr std::size_t WIDTH = 2;
#endif
constexpr std::size_t VECTORS = LANES / WIDTH;

using Doubles = double __attribute__((vector_size(WIDTH * sizeof(double))));
using Floats = float __attribute__((vector_size(WIDTH * sizeof(float))));
template <typename Vector>
Vector load(const char* position) {
  Vector vector;
  std::memcpy(&vector, position, sizeof(vector));
  return vector;
}

Doubles widen(Floats floats) {
#if defined(__AVX512F__)
  // GCC 12 splits the conversion of a full vector into halves and joins them again.
  return reinterpret_cast<Doubles>(_mm512_maskz_cvtps_pd(0xff, reinterpret_cast<__m256>(floats)));
#else
  return __builtin_convertvector(floats, Doubles);
#endif
}

Doubles widen(Doubles doubles) { return doubles; }

template <typename Format>
struct Storage;
template <>
struct Storage<F32> {
  using Vector = Floats;
};
template <>
struct Storage<F64> {
  using Vector = Doubles;
};

template <typename Format>
class SquareSum {
 public:
  /// Any number of elements in the last call, a multiple of LANES in those before.
  void add(const void* data, std::size_t count) {
    const char* position = static_cast<const char*>(data);
    Doubles sums[VECTORS];
    for (std::size_t k = 0; k < VECTORS; ++k) sums[k] = sums_[k];
    for (; count >= LANES; count -= LANES, position += LANES * SIZE) add_lanes(sums, position);
    if (count > 0) {
      char padded[LANES * SIZE] = {};
      std::memcpy(padded, position, count * SIZE);
      add_lanes(sums, padded);
    }
    for (std::size_t k = 0; k < VECTORS; ++k) sums_[k] = sums[k];
  }

  double total() const {
    double lanes[LANES];
    std::memcpy(lanes, sums_, sizeof(lanes));
    for (std::size_t half = LANES / 2; half > 0; half /= 2) {
      for (std::size_t i = 0; i < half; ++i) lanes[i] += lanes[i + half];
    }
    return lanes[0] != lanes[0] ? __builtin_nan("") : lanes[0];
  }

 private:
  using Vector = typename Storage<Format>::Vector;
  static constexpr std::size_t SIZE = sizeof(Vector) / WIDTH;

  static void add_lanes(Doubles (&sums)[VECTORS], const char* position) {
    for (std::size_t k = 0; k < VECTORS; ++k) {
      Doubles values = widen(load<Vector>(position + k * sizeof(Vector)));
      sums[k] += values * values;
    }
  }

  Doubles sums_[VECTORS] = {};
};

template <typename Format>
double sum_of_squares(const void* data, std::size_t count) {
  SquareSum<Format> sum;
  sum.add(data, count);
  return sum.total();
}

void widen_bf16(float* out, const void* in, std::size_t count) {
  LOCKSTEP_INDEPENDENT
  for (std::size_t i = 0; i < count; ++i) out[i] = Bf16::read(in, i);
}

template <void (*widen_half)(float*, const void*, std::size_t)>
double sum_of_squares_half(const void* data, std::size_t count) {
  static_assert(BLOCK % LANES == 0);
  alignas(64) float wide[BLOCK];
  SquareSum<F32> sum;
  for (std::size_t begin = 0; begin < count; begin += BLOCK) {
    std::size_t size = count - begin < BLOCK ? count - begin : BLOCK;
    widen_half(wide, static_cast<const char*>(data) + begin * sizeof(std::uint16_t), size);
    sum.add(wide, size);
  }
  return sum.total();
}

template <typename Format>
void scale(void* data, std::size_t count, double factor) {
  using T = typename Format::Value;
  const T narrow_factor = static_cast<T>(factor);
  LOCKSTEP_INDEPENDENT
  for (std::size_t i = 0; i < count; ++i) Format::write(data, i, Format::read(data, i) * narrow_factor);
}

void scale_f16(void* data, std::size_t count, double factor) {
  update_f16(data, count,
             [factor](float* wide, std::size_t, std::size_t size) { scale<F32>(wide, size, factor); });
}

}  // namespace

extern const NormKernels norm_kernels = {{sum_of_squares<F32>, sum_of_squares<F64>,
                                          sum_of_squares_half<widen_f16>, sum_of_squares_half<widen_bf16>},
                                         {scale<F32>, scale<F64>, scale_f16, scale<Bf16>}};

}  // namespace lockstep::LOCKSTEP_ISA

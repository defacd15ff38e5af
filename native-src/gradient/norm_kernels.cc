#include "gradient/norm_kernels.h"

#include "core/half_conversion.h"

namespace lockstep::LOCKSTEP_ISA {
namespace {

// Element i is added to lane i mod 32, and the lanes are added pairwise at the end. That fixes the order for
// every instruction set; four independent vectors of eight hide the latency of the additions.
constexpr std::size_t VECTORS = 4;
constexpr std::size_t WIDTH = 8;
constexpr std::size_t LANES = VECTORS * WIDTH;

using Doubles = double __attribute__((vector_size(WIDTH * sizeof(double))));
using Floats = float __attribute__((vector_size(WIDTH * sizeof(float))));

template <typename T>
struct VectorOf;
template <>
struct VectorOf<double> {
  using Type = Doubles;
};
template <>
struct VectorOf<float> {
  using Type = Floats;
};

template <typename T>
struct Lanes {
  Doubles sums[VECTORS] = {};

  void add(const void* data) {
    for (std::size_t k = 0; k < VECTORS; ++k) {
      typename VectorOf<T>::Type values;
      std::memcpy(&values, static_cast<const char*>(data) + k * sizeof(values), sizeof(values));
      Doubles wide = __builtin_convertvector(values, Doubles);
      sums[k] += wide * wide;
    }
  }

  // `count` is a multiple of LANES, but for the last call.
  void add_all(const void* data, std::size_t count) {
    const char* position = static_cast<const char*>(data);
    for (; count >= LANES; count -= LANES, position += LANES * sizeof(T)) add(position);
    if (count > 0) {
      T padded[LANES] = {};
      std::memcpy(padded, position, count * sizeof(T));
      add(padded);
    }
  }

  double total() const {
    double lanes[LANES];
    std::memcpy(lanes, sums, sizeof(lanes));
    for (std::size_t half = LANES / 2; half > 0; half /= 2) {
      for (std::size_t i = 0; i < half; ++i) lanes[i] += lanes[i + half];
    }
    return lanes[0] != lanes[0] ? __builtin_nan("") : lanes[0];
  }
};

template <typename T>
double sum_of_squares(const void* data, std::size_t count) {
  Lanes<T> lanes;
  lanes.add_all(data, count);
  return lanes.total();
}

template <typename Format>
double sum_of_squares_half(const void* data, std::size_t count) {
  static_assert(BLOCK % LANES == 0);
  alignas(64) float wide[BLOCK];
  Lanes<float> lanes;
  for (std::size_t begin = 0; begin < count; begin += BLOCK) {
    std::size_t size = count - begin < BLOCK ? count - begin : BLOCK;
    widen_block<Format>(wide, static_cast<const char*>(data) + begin * sizeof(std::uint16_t), size);
    lanes.add_all(wide, size);
  }
  return lanes.total();
}

template <typename T>
void scale(void* data, std::size_t count, double factor) {
  const T narrow_factor = static_cast<T>(factor);
  LOCKSTEP_INDEPENDENT
  for (std::size_t i = 0; i < count; ++i) store<T>(data, i, load<T>(data, i) * narrow_factor);
}

template <typename Format>
void scale_half(void* data, std::size_t count, double factor) {
  update_in_blocks<Format>(data, count,
                           [factor](float* values, std::size_t size) { scale<float>(values, size, factor); });
}

}  // namespace

extern const NormKernels norm_kernels = {
    {sum_of_squares<float>, sum_of_squares<double>, sum_of_squares_half<F16>, sum_of_squares_half<Bf16>},
    {scale<float>, scale<double>, scale_half<F16>, scale_half<Bf16>}};

}  // namespace lockstep::LOCKSTEP_ISA

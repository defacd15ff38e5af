#include "learning/k_means/distance_kernels.h"

#include <cstring>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace lockstep::LOCKSTEP_ISA {
namespace {

// A tile of rows × one panel stays in vector registers, and the rows' addresses in the others.
#if defined(__AVX512F__)
constexpr std::size_t WIDTH = 16, TILE = 8;
using Floats = __m512;
Floats load(const float* p) { return _mm512_loadu_ps(p); }
void store(float* p, Floats v) { _mm512_storeu_ps(p, v); }
Floats subtract_product(Floats sum, float x, Floats c) { return _mm512_fnmadd_ps(_mm512_set1_ps(x), c, sum); }
#elif defined(__AVX2__)
constexpr std::size_t WIDTH = 8, TILE = 6;
using Floats = __m256;
Floats load(const float* p) { return _mm256_loadu_ps(p); }
void store(float* p, Floats v) { _mm256_storeu_ps(p, v); }
Floats subtract_product(Floats sum, float x, Floats c) { return _mm256_fnmadd_ps(_mm256_set1_ps(x), c, sum); }
#else
constexpr std::size_t WIDTH = 4, TILE = 3;
using Floats = float __attribute__((vector_size(16)));
Floats load(const float* p) {
  Floats v;
  std::memcpy(&v, p, sizeof(v));
  return v;
}
void store(float* p, Floats v) { std::memcpy(p, &v, sizeof(v)); }
Floats subtract_product(Floats sum, float x, Floats c) { return sum - c * x; }
#endif
constexpr std::size_t VECTORS = PANEL / WIDTH;

template <std::size_t ROWS>
void tile(const float* const* rows, const float* panel, const float* half_norms, std::size_t dimension,
          float* out, std::size_t stride) {
  Floats sums[ROWS][VECTORS];
  for (std::size_t r = 0; r < ROWS; ++r) {
    for (std::size_t v = 0; v < VECTORS; ++v) sums[r][v] = load(half_norms + v * WIDTH);
  }
  for (std::size_t i = 0; i < dimension; ++i, panel += PANEL) {
    Floats centres[VECTORS];
    for (std::size_t v = 0; v < VECTORS; ++v) centres[v] = load(panel + v * WIDTH);
#pragma GCC unroll 8
    for (std::size_t r = 0; r < ROWS; ++r) {
      for (std::size_t v = 0; v < VECTORS; ++v)
        sums[r][v] = subtract_product(sums[r][v], rows[r][i], centres[v]);
    }
  }
  for (std::size_t r = 0; r < ROWS; ++r) {
    for (std::size_t v = 0; v < VECTORS; ++v) store(out + r * stride + v * WIDTH, sums[r][v]);
  }
}

void scores(const float* const* rows, std::size_t count, const float* panel, const float* half_norms,
            std::size_t dimension, float* out, std::size_t stride) {
  for (; count >= TILE; count -= TILE, rows += TILE, out += TILE * stride) {
    tile<TILE>(rows, panel, half_norms, dimension, out, stride);
  }
  for (; count > 0; --count, ++rows, out += stride) tile<1>(rows, panel, half_norms, dimension, out, stride);
}

TwoSmallest two_smallest(const float* scores, std::size_t panels) {
  using Lanes = float __attribute__((vector_size(PANEL * sizeof(float))));
  using Indices = std::int32_t __attribute__((vector_size(PANEL * sizeof(float))));
  Lanes first, second, value;
  std::memcpy(&first, scores, sizeof(first));
  second = first - first + __builtin_inff();
  Indices panel_of_first = {};
  for (std::size_t p = 1; p < panels; ++p) {
    std::memcpy(&value, scores + p * PANEL, sizeof(value));
    const Indices smaller = value < first;
    const Lanes larger = smaller ? first : value;
    second = larger < second ? larger : second;
    first = smaller ? value : first;
    panel_of_first = smaller ? Indices{} + static_cast<std::int32_t>(p) : panel_of_first;
  }
  float lanes[PANEL], runners[PANEL];
  std::int32_t numbers[PANEL];
  std::memcpy(lanes, &first, sizeof(lanes));
  std::memcpy(runners, &second, sizeof(runners));
  std::memcpy(numbers, &panel_of_first, sizeof(numbers));
  TwoSmallest result{lanes[0], runners[0], numbers[0] * static_cast<std::int32_t>(PANEL)};
  for (std::size_t lane = 1; lane < PANEL; ++lane) {
    float larger = lanes[lane];
    if (lanes[lane] < result.first) {
      larger = result.first;
      result.first = lanes[lane];
      result.index = numbers[lane] * static_cast<std::int32_t>(PANEL) + static_cast<std::int32_t>(lane);
    }
    if (larger < result.second) result.second = larger;
    if (runners[lane] < result.second) result.second = runners[lane];
  }
  return result;
}

double squared_distance(const float* x, const double* centre, std::size_t dimension) {
  constexpr std::size_t LANES = 16;
  double lanes[LANES] = {};
  std::size_t i = 0;
  for (; i + LANES <= dimension; i += LANES) {
    for (std::size_t lane = 0; lane < LANES; ++lane) {
      const double difference = static_cast<double>(x[i + lane]) - centre[i + lane];
      lanes[lane] += difference * difference;
    }
  }
  for (std::size_t lane = 0; i < dimension; ++i, ++lane) {
    const double difference = static_cast<double>(x[i]) - centre[i];
    lanes[lane] += difference * difference;
  }
  for (std::size_t half = LANES / 2; half > 0; half /= 2) {
    for (std::size_t lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
  }
  return lanes[0];
}

// Adding 1.5 × 2^52 rounds to an integer, which is then the low half of the bits.
constexpr double MAGIC = 0x1.8p52;
constexpr std::int64_t MAGIC_BITS = 0x4338000000000000;

std::int64_t rounded(double value) {
  const double shifted = value + MAGIC;
  std::int64_t bits;
  std::memcpy(&bits, &shifted, sizeof(bits));
  return bits - MAGIC_BITS;
}

void add_row(std::int64_t* sums, const float* x, double weight, const double* scales, std::size_t dimension) {
  for (std::size_t i = 0; i < dimension; ++i) {
    sums[i] += rounded(static_cast<double>(x[i]) * weight * scales[i]);
  }
}

void subtract_row(std::int64_t* sums, const float* x, double weight, const double* scales,
                  std::size_t dimension) {
  for (std::size_t i = 0; i < dimension; ++i) {
    sums[i] -= rounded(static_cast<double>(x[i]) * weight * scales[i]);
  }
}

}  // namespace

extern const DistanceKernels distance_kernels = {scores, two_smallest, squared_distance, add_row,
                                                 subtract_row};

}  // namespace lockstep::LOCKSTEP_ISA

#include "learning/trees/histogram_kernels.h"

#include <cstring>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace lockstep::LOCKSTEP_ISA {
namespace {

using Pair = std::int64_t __attribute__((vector_size(16)));

void add_rows(BinSums* histogram, const std::uint32_t* offsets, const std::uint8_t* bins, std::size_t stride,
              std::size_t begin, std::size_t end, const std::uint32_t* rows, std::size_t count,
              const BinSums* sums) {
  // Rows of a leaf lie apart; the memory answers in time when it is asked so many rows ahead.
  constexpr std::size_t AHEAD = 16;
  auto* pairs = reinterpret_cast<Pair*>(histogram);
  for (std::size_t i = 0; i < count; ++i) {
    if (i + AHEAD < count) {
      const std::uint8_t* ahead = bins + static_cast<std::size_t>(rows[i + AHEAD]) * stride;
      __builtin_prefetch(ahead + begin);
      __builtin_prefetch(ahead + end - 1);
      __builtin_prefetch(sums + rows[i + AHEAD]);
    }
    Pair own;
    std::memcpy(&own, sums + rows[i], sizeof(own));
    const std::uint8_t* row = bins + static_cast<std::size_t>(rows[i]) * stride;
    for (std::size_t f = begin; f < end; ++f) {
      Pair* bin = pairs + offsets[f] + row[f];
      Pair sum;
      std::memcpy(&sum, bin, sizeof(sum));
      sum += own;
      std::memcpy(bin, &sum, sizeof(sum));
    }
  }
}

// How many of 16 edges are below a value. Comparing with all at once beats the steps of a binary search,
// whose loads wait for each other.
#if defined(__AVX512F__)
std::uint32_t count_below(const float* edges, float value) {
  return static_cast<std::uint32_t>(
      __builtin_popcount(_mm512_cmp_ps_mask(_mm512_loadu_ps(edges), _mm512_set1_ps(value), _CMP_LT_OQ)));
}
#elif defined(__AVX2__)
std::uint32_t count_below(const float* edges, float value) {
  const __m256 all = _mm256_set1_ps(value);
  const int low = _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(edges), all, _CMP_LT_OQ));
  const int high = _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(edges + 8), all, _CMP_LT_OQ));
  return static_cast<std::uint32_t>(__builtin_popcount(static_cast<unsigned>(low | high << 8)));
}
#else
std::uint32_t count_below(const float* edges, float value) {
  using Floats = float __attribute__((vector_size(16)));
  using Integers = std::int32_t __attribute__((vector_size(16)));
  Integers below = {};
  for (int i = 0; i < 16; i += 4) {
    Floats four;
    std::memcpy(&four, edges + i, sizeof(four));
    below -= four < value;  // −1 in each lane where it is true
  }
  return static_cast<std::uint32_t>(below[0] + below[1] + below[2] + below[3]);
}
#endif

void find_bins(const float* values, std::size_t count, const float* edges, std::uint8_t missing,
               std::uint8_t* out) {
  float coarse[16];
  for (int i = 0; i < 16; ++i) coarse[i] = edges[16 * i + 15];
  for (std::size_t i = 0; i < count; ++i) {
    const float value = values[i];
    const std::uint32_t block = 16 * count_below(coarse, value);
    out[i] = value != value ? missing : static_cast<std::uint8_t>(block + count_below(edges + block, value));
  }
}

template <typename Count>
void add_classes(double* left, const Count* bin, const double* total, std::size_t classes, double* squares,
                 double* weight) {
  double left_squares[CLASS_LANES] = {}, right_squares[CLASS_LANES] = {}, weights[CLASS_LANES] = {};
  for (std::size_t k = 0; k < classes; k += CLASS_LANES) {
    for (std::size_t lane = 0; lane < CLASS_LANES; ++lane) {
      const auto own = static_cast<double>(bin[k + lane]);
      const double now = left[k + lane] + own, right = total[k + lane] - now;
      left[k + lane] = now;
      left_squares[lane] += now * now;
      right_squares[lane] += right * right;
      weights[lane] += own;
    }
  }
  auto sum = [](const double* lanes) { return (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]); };
  squares[0] = sum(left_squares);
  squares[1] = sum(right_squares);
  *weight = sum(weights);
}

void score_splits(const LeftSums& left, std::size_t count, std::int64_t squares, std::int64_t weight,
                  double* out) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t right_squares = squares - 2 * left.by_total[i] + left.squares[i];
    out[i] = static_cast<double>(left.squares[i]) / static_cast<double>(left.weight[i]) +
             static_cast<double>(right_squares) / static_cast<double>(weight - left.weight[i]);
  }
}

}  // namespace

extern const HistogramKernels histogram_kernels = {add_rows, find_bins, add_classes<double>,
                                                   add_classes<std::int32_t>, score_splits};

}  // namespace lockstep::LOCKSTEP_ISA

#include "learning/trees/histogram_kernels.h"

#include <cstring>

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

// Comparing with 16 edges at once beats the steps of a binary search, whose loads wait for each other.
std::uint32_t count_below(const float* edges, float value) {
  std::int32_t below = 0;
  for (int i = 0; i < 16; ++i) below += edges[i] < value ? 1 : 0;
  return static_cast<std::uint32_t>(below);
}

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

void add_classes(double* left, const double* bin, const double* total, std::size_t classes, double* squares,
                 double* weight) {
  double left_squares[CLASS_LANES] = {}, right_squares[CLASS_LANES] = {}, weights[CLASS_LANES] = {};
  for (std::size_t k = 0; k < classes; k += CLASS_LANES) {
    for (std::size_t lane = 0; lane < CLASS_LANES; ++lane) {
      const double own = bin[k + lane];
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

}  // namespace

extern const HistogramKernels histogram_kernels = {add_rows, find_bins, add_classes};

}  // namespace lockstep::LOCKSTEP_ISA

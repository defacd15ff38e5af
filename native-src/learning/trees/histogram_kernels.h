#pragma once

#include <cstddef>
#include <cstdint>

#include "core/cpu.h"

namespace lockstep {

/// What is summed in a bin of a histogram: a gradient in fixed point; a hessian in fixed point in the low
/// bits and the number of rows above them.
struct alignas(16) BinSums {
  std::int64_t gradient;
  std::int64_t hessian_and_count;
};

/// Counts of classes come in multiples of this many, zeros at the end.
constexpr std::size_t CLASS_LANES = 4;

/// One instruction set's kernels for histograms. Integers: the same bits in any order.
struct HistogramKernels {
  /// histogram[offsets[f] + bins[rows[i] × stride + f]] += sums[rows[i]], for the f of [begin, end)
  void (*add_rows)(BinSums* histogram, const std::uint32_t* offsets, const std::uint8_t* bins,
                   std::size_t stride, std::size_t begin, std::size_t end, const std::uint32_t* rows,
                   std::size_t count, const BinSums* sums);
  /// out[i] = how many of 256 ascending edges are below values[i], `missing` for NaN. The last is infinite.
  void (*find_bins)(const float* values, std::size_t count, const float* edges, std::uint8_t missing,
                    std::uint8_t* out);
  /// left[k] += bin[k], all of them integers. squares[0] = Σ left[k]², squares[1] = Σ (total[k] − left[k])²,
  /// class k in lane k mod CLASS_LANES; *weight = Σ bin[k]. @param classes a multiple of CLASS_LANES
  void (*add_classes)(double* left, const double* bin, const double* total, std::size_t classes,
                      double* squares, double* weight);
};

LOCKSTEP_KERNEL_TABLE(HistogramKernels, histogram_kernels)

}  // namespace lockstep

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

/// What lies on the left of splits, of 256 at most: Σ over classes of weight², of weight × the node's weight
/// of the class, and of weight.
struct LeftSums {
  std::int64_t squares[256], by_total[256], weight[256];
};

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
  /// The same for a bin of smaller integers.
  void (*add_small_classes)(double* left, const std::int32_t* bin, const double* total, std::size_t classes,
                            double* squares, double* weight);
  /// out[i] = Σ left² ÷ Σ left + Σ right² ÷ Σ right of split i, where right = total − left of each class.
  /// @param squares Σ over classes of total²; @param weight Σ total
  void (*score_splits)(const LeftSums& left, std::size_t count, std::int64_t squares, std::int64_t weight,
                       double* out);
};

LOCKSTEP_KERNEL_TABLE(HistogramKernels, histogram_kernels)

}  // namespace lockstep

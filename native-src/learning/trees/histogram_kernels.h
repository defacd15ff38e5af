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

/// One instruction set's kernel for histograms. Integers: the same bits in any order.
struct HistogramKernels {
  /// histogram[offsets[f] + bins[rows[i] × stride + f]] += sums[rows[i]], for the f of [begin, end)
  void (*add_rows)(BinSums* histogram, const std::uint32_t* offsets, const std::uint8_t* bins,
                   std::size_t stride, std::size_t begin, std::size_t end, const std::uint32_t* rows,
                   std::size_t count, const BinSums* sums);
};

LOCKSTEP_KERNEL_TABLE(HistogramKernels, histogram_kernels)

}  // namespace lockstep

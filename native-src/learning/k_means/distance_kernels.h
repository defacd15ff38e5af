#pragma once

#include <cstddef>
#include <cstdint>

#include "core/cpu.h"

namespace lockstep {

/// Centres lie in panels of this many, dimension by dimension, so that one vector holds a coordinate of each.
constexpr std::size_t PANEL = 16;

/// The two smallest scores of a row in some panels; `index` is that of the smallest.
struct TwoSmallest {
  float first;
  float second;
  std::int32_t index;
};

/// One instruction set's kernels for distances between rows (f32) and centres.
///
/// `scores` and `two_smallest` may differ in their last bits between instruction sets (v3 and v4 fuse
/// multiply and add): their callers know the error bound and decide what is close by squared_distance, whose
/// bits are everywhere the same, as are those of the other kernels.
struct DistanceKernels {
  /// out[r × stride + j] = half_norms[j] − Σᵢ rows[r][i] × panel[i × PANEL + j]
  void (*scores)(const float* const* rows, std::size_t count, const float* panel, const float* half_norms,
                 std::size_t dimension, float* out, std::size_t stride);
  TwoSmallest (*two_smallest)(const float* scores, std::size_t panels);
  /// Σᵢ (x[i] − c[i])² in f64, element i in lane i mod 16, lanes added pairwise.
  double (*squared_distance)(const float* x, const double* centre, std::size_t dimension);
  /// sums[i] += round(x[i] × weight × scales[i]), and sums[i] −= that: |rounded| < 2^51.
  void (*add_row)(std::int64_t* sums, const float* x, double weight, const double* scales,
                  std::size_t dimension);
  void (*subtract_row)(std::int64_t* sums, const float* x, double weight, const double* scales,
                       std::size_t dimension);
};

LOCKSTEP_KERNEL_TABLE(DistanceKernels, distance_kernels)

}  // namespace lockstep

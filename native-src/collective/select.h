#pragma once

#include <cstddef>

namespace lockstep {

/// The sizes at which algorithms change. Equal on all ranks of a group.
struct Tuning {
  /// Longest message of the segmented algorithms. Gloo's ring uses the same: long enough to hide the cost of
  /// a message, short enough for two of them to stay in a core's cache while they are reduced.
  std::size_t segment_bytes = 1 << 20;

  /// All-reduces of fewer bytes go by recursive doubling. Over loopback TCP
  /// (benchmark/all_reduce_benchmark.cc, two cores of a Sapphire Rapids server, f32, median microseconds,
  /// recursive doubling : ring) two ranks took 24 : 145 for 64 KiB, 162 : 163 for 128 KiB, 208 : 196 for 256
  /// KiB and 727 : 391 for 1 MiB; four ranks 448 : 702, 462 : 785, 672 : 885 and 6,754 : 2,868.
  std::size_t recursive_doubling_below = 256 << 10;
};

enum class AllReduceAlgorithm { RECURSIVE_DOUBLING, RING };

/// Chooses from what is equal on all ranks, so that all choose the same.
AllReduceAlgorithm select_all_reduce(std::size_t bytes, const Tuning& tuning);

}  // namespace lockstep

#pragma once

#include <cstddef>
#include <vector>

namespace lockstep {

/// 2^levels ranks from `first` on; one for each bit of the number of ranks, the largest first.
struct BinaryBlock {
  int first;
  int levels;

  int ranks() const { return 1 << levels; }
};

std::vector<BinaryBlock> binary_blocks(int ranks);

/// Elements of a vector.
struct Range {
  std::size_t begin;
  std::size_t count;
};

/// What is left of `count` elements for the rank with this number in its block after `halvings` steps: bit s
/// of the number chooses the lower or the upper half in step s. So number n of a block of 2^k ranks holds
/// what the numbers n, n + 2^k, n + 2·2^k … of a larger block hold together.
Range halved_range(std::size_t count, int number, int halvings);

}  // namespace lockstep

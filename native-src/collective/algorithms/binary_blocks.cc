#include "collective/algorithms/binary_blocks.h"

#include <bit>

namespace lockstep {

std::vector<BinaryBlock> binary_blocks(int ranks) {
  std::vector<BinaryBlock> blocks;
  int first = 0;
  while (first < ranks) {
    const int levels = std::bit_width(static_cast<unsigned>(ranks - first)) - 1;
    blocks.push_back({first, levels});
    first += 1 << levels;
  }
  return blocks;
}

Range halved_range(std::size_t count, int number, int halvings) {
  Range range{0, count};
  for (int step = 0; step < halvings; ++step) {
    const std::size_t lower = (range.count + 1) / 2;
    if (number >> step & 1) {
      range = {range.begin + lower, range.count - lower};
    } else {
      range.count = lower;
    }
  }
  return range;
}

}  // namespace lockstep

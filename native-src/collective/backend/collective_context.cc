#include "collective/backend/collective_context.h"

#include <algorithm>

namespace lockstep {

std::byte* Scratch::reserve(std::size_t bytes) {
  if (memory_.size() < bytes) {
    memory_.clear();  // Nothing of the old contents is worth copying.
    memory_.resize(bytes);
  }
  return memory_.data();
}

Blocks Blocks::dividing(std::size_t count, int ranks) {
  const std::size_t base = count / ranks;
  const std::size_t longer = count % ranks;
  Blocks blocks;
  for (std::size_t rank = 0; rank <= static_cast<std::size_t>(ranks); ++rank) {
    blocks.offsets_.push_back(rank * base + std::min(rank, longer));
  }
  return blocks;
}

Blocks Blocks::of_equal_count(std::size_t count_each, int ranks) {
  return dividing(count_each * static_cast<std::size_t>(ranks), ranks);
}

Blocks Blocks::of_counts(std::span<const std::int64_t> counts) {
  Blocks blocks;
  blocks.offsets_.push_back(0);
  for (std::int64_t count : counts)
    blocks.offsets_.push_back(blocks.offsets_.back() + static_cast<std::size_t>(count));
  return blocks;
}

std::size_t Blocks::largest_count() const {
  std::size_t largest = 0;
  for (int rank = 0; rank < ranks(); ++rank) largest = std::max(largest, count(rank));
  return largest;
}

}  // namespace lockstep

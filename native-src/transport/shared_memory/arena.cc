#include "transport/shared_memory/arena.h"

#include <algorithm>
#include <iterator>

namespace lockstep::shared_memory {

std::optional<std::size_t> Arena::take(std::size_t bytes) {
  const std::size_t length = std::max<std::size_t>((bytes + PAGE - 1) / PAGE, 1) * PAGE;
  if (length < bytes) return std::nullopt;
  std::lock_guard lock(mutex_);
  auto gap =
      std::find_if(free_.begin(), free_.end(), [&](const auto& part) { return part.second >= length; });
  if (gap == free_.end()) return std::nullopt;
  const auto [offset, room] = *gap;
  free_.erase(gap);
  if (room > length) free_.emplace(offset + length, room - length);
  taken_.emplace(offset, length);
  return offset;
}

std::size_t Arena::give_back(std::size_t offset) {
  std::lock_guard lock(mutex_);
  auto part = taken_.find(offset);
  if (part == taken_.end()) return 0;
  const std::size_t length = part->second;
  taken_.erase(part);
  auto gap = free_.emplace(offset, length).first;
  auto next = std::next(gap);
  if (next != free_.end() && gap->first + gap->second == next->first) {
    gap->second += next->second;
    free_.erase(next);
  }
  if (gap != free_.begin()) {
    auto previous = std::prev(gap);
    if (previous->first + previous->second == gap->first) {
      previous->second += gap->second;
      free_.erase(gap);
    }
  }
  return length;
}

bool Arena::contains(std::size_t offset, std::size_t bytes) const {
  std::lock_guard lock(mutex_);
  auto after = taken_.upper_bound(offset);
  if (after == taken_.begin()) return false;
  const auto& [begin, length] = *std::prev(after);
  return offset - begin <= length && bytes <= length - (offset - begin);
}

}  // namespace lockstep::shared_memory

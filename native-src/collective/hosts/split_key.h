#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace lockstep {

/// Where a rank wants to go in a split.
struct SplitKey {
  std::int32_t color;
  std::int32_t key;
};

/// The ranks that chose `color`, by their key, then by rank; none for a negative color.
/// @param choices of all ranks of the parent
inline std::vector<int> members_of(std::span<const SplitKey> choices, int color) {
  std::vector<int> members;
  if (color < 0) return members;
  for (std::size_t rank = 0; rank < choices.size(); ++rank) {
    if (choices[rank].color == color) members.push_back(static_cast<int>(rank));
  }
  std::ranges::stable_sort(members, {},
                           [&](int rank) { return choices[static_cast<std::size_t>(rank)].key; });
  return members;
}

}  // namespace lockstep

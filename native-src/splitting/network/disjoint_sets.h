#pragma once

#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace lockstep::splitting {

/// Union–find over 0…count − 1, by size and with path halving: near constant time (Tarjan & van Leeuwen,
/// 1984).
class DisjointSets {
 public:
  explicit DisjointSets(std::int32_t count)
      : parents_(static_cast<std::size_t>(count)), sizes_(static_cast<std::size_t>(count), 1), sets_(count) {
    std::iota(parents_.begin(), parents_.end(), 0);
  }

  std::int32_t sets() const { return sets_; }

  std::int32_t find(std::int32_t element) {
    auto at = static_cast<std::size_t>(element);
    while (parents_[at] != static_cast<std::int32_t>(at)) {
      parents_[at] = parents_[static_cast<std::size_t>(parents_[at])];
      at = static_cast<std::size_t>(parents_[at]);
    }
    return static_cast<std::int32_t>(at);
  }

  /// @return whether they were in two sets
  bool join(std::int32_t first, std::int32_t second) {
    auto kept = static_cast<std::size_t>(find(first));
    auto joined = static_cast<std::size_t>(find(second));
    if (kept == joined) return false;
    if (sizes_[kept] < sizes_[joined]) std::swap(kept, joined);
    parents_[joined] = static_cast<std::int32_t>(kept);
    sizes_[kept] += sizes_[joined];
    --sets_;
    return true;
  }

 private:
  std::vector<std::int32_t> parents_;
  std::vector<std::int32_t> sizes_;
  std::int32_t sets_;
};

}  // namespace lockstep::splitting

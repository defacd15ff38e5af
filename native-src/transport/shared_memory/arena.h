#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>

namespace lockstep::shared_memory {

/// Which parts of a rank's arena are allocated: first fit, in pages. Offsets count from the arena's
/// beginning. Thread-safe.
class Arena {
 public:
  static constexpr std::size_t PAGE = 4096;

  explicit Arena(std::size_t bytes) : free_{{0, bytes / PAGE * PAGE}} {}

  /// @return the offset of `bytes` bytes, rounded up to pages; nothing when no gap is that long
  std::optional<std::size_t> take(std::size_t bytes);
  /// @return the length of the part that began at `offset`, or 0 when none did
  std::size_t give_back(std::size_t offset);
  /// Whether all of [offset, offset + bytes) lies in one allocated part.
  bool contains(std::size_t offset, std::size_t bytes) const;

 private:
  using Parts = std::map<std::size_t, std::size_t>;  // offset → length

  mutable std::mutex mutex_;
  Parts free_;
  Parts taken_;
};

}  // namespace lockstep::shared_memory

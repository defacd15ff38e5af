#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "transport/shared_memory/arena.h"
#include "transport/shared_memory/futex.h"
#include "transport/shared_memory/layout.h"
#include "transport/shared_memory/segment.h"

namespace lockstep::shared_memory {

/// A segment and this rank's arena in it; lives as long as the group or anything allocated in it.
class RegisteredMemory {
 public:
  RegisteredMemory(Segment segment, const Layout& layout, int rank);

  Segment& segment() { return segment_; }
  std::byte* arena(int rank) const { return arenas_ + static_cast<std::size_t>(rank) * layout_.arena_bytes; }

  /// @throws Error SYSTEM when /dev/shm has too little left
  std::byte* allocate(std::size_t bytes);
  /// @param memory what allocate() gave
  void free(std::byte* memory) noexcept;
  /// On rank 0: memory of all ranks, zeroed, on a page boundary.
  std::byte* allocate_shared(std::size_t bytes);
  /// On each rank, once: it uses the shared memory no more. What no rank uses goes back to rank 0's arena,
  /// when that rank comes here or to allocate_shared().
  void leave_shared(std::byte* memory) noexcept;
  /// Where [memory, memory + bytes) lies in this rank's arena; nothing where it is not all allocated there.
  std::optional<std::uint64_t> offset_of(const void* memory, std::size_t bytes) const;

 private:
  void free_unused_shared() noexcept;

  Segment segment_;
  const Layout layout_;
  const int rank_;
  std::byte* const arenas_;
  std::mutex mutex_;
  Arena arena_;
  std::vector<std::byte*> shared_;  ///< rank 0: the page before each shared buffer, which counts its users
};

}  // namespace lockstep::shared_memory

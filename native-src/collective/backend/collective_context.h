#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/deadline.h"
#include "transport/transport.h"

namespace lockstep {

/// Working memory that grows to the largest need and stays, so that operations do not allocate. It lives as
/// long as its backend: a transport may touch what was posted until it is closed, even after an operation has
/// failed.
class Scratch {
 public:
  /// At least `bytes` bytes, uninitialised; takes back what was given out before.
  std::byte* reserve(std::size_t bytes);

 private:
  std::vector<std::byte> memory_;
};

/// What every algorithm needs besides its buffers.
struct CollectiveContext {
  Transport& transport;
  const Deadline& deadline;
  Signature signature;
  Scratch& scratch;
  std::size_t segment_bytes;  ///< longest message of the segmented algorithms

  int rank() const { return transport.rank(); }
  int size() const { return transport.size(); }
};

/// How a vector is cut into one block for each rank. In elements.
class Blocks {
 public:
  /// As even as possible: sizes differ by one at most.
  static Blocks dividing(std::size_t count, int ranks);
  static Blocks of_equal_count(std::size_t count_each, int ranks);
  static Blocks of_counts(std::span<const std::int64_t> counts);

  int ranks() const { return static_cast<int>(offsets_.size()) - 1; }
  std::size_t offset(int rank) const { return offsets_[rank]; }
  std::size_t count(int rank) const { return offsets_[rank + 1] - offsets_[rank]; }
  std::size_t largest_count() const;

 private:
  std::vector<std::size_t> offsets_;  ///< ranks + 1 of them
};

}  // namespace lockstep

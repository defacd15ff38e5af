#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

#include "collective/backend/collective_context.h"
#include "core/data_type.h"
#include "transport/shared_memory/shared_memory.h"

namespace lockstep::direct {

/// Where a rank's buffers lie in its registered memory; announced with an operation that is too long for the
/// announcement itself.
struct RegisteredOffsets {
  static constexpr std::uint64_t PRIVATE = std::numeric_limits<std::uint64_t>::max();

  /// Elements of this rank's block, where blocks may be uneven. First, as in announcements that hold the
  /// block itself: ranks that disagree about which kind it is read each other's count.
  std::uint64_t count = 0;
  std::uint64_t input = PRIVATE;
  std::uint64_t output = PRIVATE;

  static RegisteredOffsets from(const std::byte* announced) {
    RegisteredOffsets buffers;
    std::memcpy(&buffers, announced, sizeof(buffers));
    return buffers;
  }
  std::span<const std::byte> bytes() const { return std::as_bytes(std::span(this, 1)); }
};

/// One operation of one rank, on the memory that the ranks share.
///
/// Every rank takes part in every step (see SharedMemory), also where the operation gives it nothing to do.
/// Private buffers go through the ranks' staging areas in pieces; a piece that is said in step s lies in
/// staging buffer s % 2, and what is made of it after that step in buffer 2 + s % 2.
class Meeting {
 public:
  explicit Meeting(const CollectiveContext& collective)
      : collective_(collective), memory_(*collective.transport.shared_memory()) {}

  SharedMemory& memory() const { return memory_; }
  int rank() const { return memory_.rank(); }
  int size() const { return memory_.size(); }
  const Signature& signature() const { return collective_.signature; }
  Waiting waiting() const { return {collective_.signature, collective_.deadline}; }

  /// Whether a rank's part fits into an announcement.
  static bool fits_in_announcement(std::size_t bytes) {
    return bytes <= shared_memory::Announcement::PAYLOAD;
  }

  std::uint64_t registered(const void* memory, std::size_t bytes) const {
    return bytes == 0 ? RegisteredOffsets::PRIVATE
                      : memory_.registered_offset(memory, bytes).value_or(RegisteredOffsets::PRIVATE);
  }

  void announce(std::span<const std::byte> payload) const { memory_.announce(signature(), payload); }
  const std::byte* announced_by(int peer) const { return memory_.await_announcement(peer, waiting()); }

  /// Where ranks may contribute blocks of different lengths, each says its own. @throws Error MISMATCH
  void check_block(int peer, std::size_t said, std::size_t expected) const {
    if (said == expected) return;
    const std::size_t element_bytes = size_of(signature().type);
    throw length_error(peer, said * element_bytes, rank(), expected * element_bytes, signature());
  }

  /// A barrier: a step without payload.
  void meet() const {
    memory_.arrive();
    memory_.await_all_arrivals(waiting());
  }

  /// Counts what this rank has read from a peer's memory.
  void count_read(int peer, std::size_t bytes) const {
    if (peer != rank()) memory_.traffic().received(peer, bytes);
  }
  void count_read_from_all(std::size_t bytes) const {
    for (int peer = 0; peer < size(); ++peer) count_read(peer, bytes);
  }

  /// Staging of the next step, for what this rank will say there.
  std::byte* next_piece() const { return memory_.staging(rank(), (memory_.step() + 1) % 2); }
  /// The staging buffer that `peer` filled for the current step.
  const std::byte* piece_of(int peer) const { return memory_.staging(peer, memory_.step() % 2); }
  /// What this rank makes in this step.
  std::byte* result() const { return memory_.staging(rank(), 2 + memory_.step() % 2); }
  /// What `peer` made in the step before this one.
  const std::byte* last_result_of(int peer) const {
    return memory_.staging(peer, 2 + (memory_.step() + 1) % 2);
  }

 private:
  const CollectiveContext& collective_;
  SharedMemory& memory_;
};

/// A part of a vector, in elements.
struct Range {
  std::size_t begin;
  std::size_t end;
  std::size_t count() const { return end - begin; }
};

/// The part of `count` elements that rank r of `ranks` works on; whole cache lines, so that no two ranks
/// write to one.
Range slice_of(std::size_t count, std::size_t element_bytes, int rank, int ranks);

/// A pointer for each rank; no allocation for the groups that a host usually has.
template <typename T>
class PerRank {
 public:
  explicit PerRank(int ranks) : count_(static_cast<std::size_t>(ranks)) {
    if (count_ > few_.size()) many_.resize(count_);
  }
  T*& operator[](int rank) { return data()[rank]; }
  std::span<T* const> all() { return {data(), count_}; }

 private:
  T** data() { return many_.empty() ? few_.data() : many_.data(); }

  std::size_t count_;
  std::array<T*, 16> few_;
  std::vector<T*> many_;
};

/// How a vector is cut into pieces that go through one staging buffer, or through a part of one.
class Pieces {
 public:
  Pieces(std::size_t count, std::size_t longest)
      : count_(count), longest_(std::max<std::size_t>(longest, 1)) {}

  std::size_t size() const { return (count_ + longest_ - 1) / longest_; }
  /// Empty from size() on.
  Range operator[](std::size_t piece) const {
    const std::size_t begin = std::min(piece * longest_, count_);
    return {begin, std::min(begin + longest_, count_)};
  }

 private:
  std::size_t count_;
  std::size_t longest_;
};

}  // namespace lockstep::direct

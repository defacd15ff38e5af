#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>

#include "transport/shared_memory/rings.h"
#include "transport/tcp/mailbox.h"

namespace lockstep::shared_memory {

/// What one rank has still to write to one peer, and how it goes: in frames (a header and a part of a
/// message), each published whole, so that the receiver never sees half of one.
class Outbox {
 public:
  Outbox(shared_memory::Rings rings, int peer) : rings_(std::move(rings)), peer_(peer) {}

  void queue(tcp::Post& post) {
    if (!post.signature.is_point_to_point()) post.number = collectives_++;
    queue_.push_back(&post);
  }
  bool is_empty() const { return queue_.empty(); }
  /// @return false where it has begun, or is not queued
  bool take_back(const tcp::Post& post);

  /// Writes what there is room for. @return whether it wrote anything
  bool flush();

 private:
  bool write_frame(tcp::Post& post);

  Rings rings_;
  int peer_;
  std::deque<tcp::Post*> queue_;
  std::uint32_t collectives_ = 0;  // messages of collectives queued so far
  std::size_t sent_ = 0;           ///< bytes of the first message
};

/// Headers begin on a boundary.
inline std::size_t padded(std::size_t bytes) { return (bytes + 15) / 16 * 16; }

constexpr std::size_t HEADER = (sizeof(tcp::FrameHeader) + 15) / 16 * 16;

/// The sender fills one part of a channel while the receiver empties another.
inline std::size_t longest_payload(std::size_t capacity) { return capacity / 4 - HEADER; }

/// Positions in a channel count all bytes that ever went through it; `capacity` is a power of two.
inline void read_at(const std::byte* data, std::size_t capacity, std::uint64_t position, void* target,
                    std::size_t bytes) {
  const std::size_t begin = position & (capacity - 1);
  const std::size_t first = std::min(bytes, capacity - begin);
  std::memcpy(target, data + begin, first);
  if (bytes > first) std::memcpy(static_cast<std::byte*>(target) + first, data, bytes - first);
}

/// Takes what `peer` has written, frame by frame. @return whether there was anything
template <typename Receiver>
bool take_frames(const Rings& rings, int peer, Receiver& receiver) {
  Channel& channel = rings.channel(peer, rings.rank());
  const std::byte* const data = rings.data(peer, rings.rank());
  const std::size_t capacity = rings.capacity();
  std::uint64_t taken = channel.taken.load(std::memory_order_relaxed);
  const std::uint64_t begin = taken;
  while (channel.written.load() != taken) {
    tcp::FrameHeader header;
    read_at(data, capacity, taken, &header, sizeof(header));
    if (header.payload > longest_payload(capacity)) throw tcp::broken_order_error(peer);
    receiver.begin_frame({peer, 0}, header);
    if (header.payload > 0) {
      read_at(data, capacity, taken + HEADER, receiver.place({peer, 0}, 0), header.payload);
    }
    receiver.end_frame({peer, 0}, header);
    taken += HEADER + padded(header.payload);
    channel.taken.store(taken);
    rings.ring(peer);
  }
  return taken != begin;
}

}  // namespace lockstep::shared_memory

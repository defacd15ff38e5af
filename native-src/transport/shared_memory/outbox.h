#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>

#include "transport/messages/mailbox.h"
#include "transport/shared_memory/rings.h"

namespace lockstep::shared_memory {

/// What one rank has still to write to one peer, and how it goes: in frames (a header and a part of a
/// message), each published whole, so that the receiver never sees half of one.
class Outbox {
 public:
  Outbox(shared_memory::Rings rings, int peer) : rings_(std::move(rings)), peer_(peer) {}

  /// Writes what there is room for; post.complete is set where that is all of it.
  void send(tcp::Post& post);
  bool is_empty() const { return queue_.empty(); }
  /// @return false where it has begun, or is not queued
  bool take_back(const tcp::Post& post);

  /// Writes what there is room for. @return whether it wrote anything
  bool flush();

 private:
  bool write_frame(tcp::Post& post);
  void go_back_to_warm_lines(std::byte* data, std::size_t capacity, std::size_t length);

  Rings rings_;
  int peer_;
  std::uint64_t written_ = 0;     ///< position in the stream
  std::uint64_t taken_seen_ = 0;  ///< by the receiver at least; looked up only where it matters
  std::uint64_t next_look_ = 0;   ///< position from which on it is looked up whether all has been taken
  std::deque<tcp::Post*> queue_;
  std::uint32_t collectives_ = 0;  // messages of collectives queued so far
  std::size_t sent_ = 0;           ///< bytes of the first message
};

/// Frames begin on a cache line. `capacity` is a power of two.
inline std::size_t padded(std::size_t bytes) { return (bytes + 63) / 64 * 64; }

/// The sender fills one part of a stream while the receiver empties another.
inline std::size_t longest_payload(std::size_t capacity) { return capacity / 4 - sizeof(StreamFrame); }

/// Of the part of a message that begins at `offset`.
inline std::size_t payload_at(std::uint64_t offset, std::uint64_t total, std::size_t capacity) {
  return std::min<std::uint64_t>(total - offset, longest_payload(capacity));
}

/// Positions in a stream count all bytes that ever went through it.
inline void read_at(const std::byte* data, std::size_t capacity, std::uint64_t position, void* target,
                    std::size_t bytes) {
  const std::size_t begin = position & (capacity - 1);
  const std::size_t first = std::min(bytes, capacity - begin);
  std::memcpy(target, data + begin, first);
  if (bytes > first) std::memcpy(static_cast<std::byte*>(target) + first, data, bytes - first);
}

/// Where the ring begins the next time.
inline std::uint64_t next_lap(std::uint64_t position, std::size_t capacity) {
  return (position | (capacity - 1)) + 1;
}

inline StreamFrame& frame_at(std::byte* data, std::size_t capacity, std::uint64_t position) {
  return *reinterpret_cast<StreamFrame*>(data + (position & (capacity - 1)));
}

/// Takes what `peer` has written, frame by frame. @return whether there was anything
template <typename Receiver>
bool take_frames(const Rings& rings, int peer, Receiver& receiver) {
  Channel& channel = rings.channel(peer, rings.rank());
  std::byte* const data = rings.data(peer, rings.rank());
  const std::size_t capacity = rings.capacity();
  std::uint64_t taken = channel.taken.load(std::memory_order_relaxed);
  const std::uint64_t begin = taken;
  while (true) {
    const StreamFrame& frame = frame_at(data, capacity, taken);
    const std::uint32_t state = frame.published.load();
    if (state == StreamFrame::NONE) return taken != begin;
    if (state == StreamFrame::LAP) {
      taken = next_lap(taken, capacity);
      channel.taken.store(taken);
      continue;
    }
    tcp::FrameHeader header;
    header.source = peer;
    header.signature = frame.signature;
    header.total = frame.total;
    header.offset = frame.offset;
    if (header.offset > header.total) throw tcp::broken_order_error(peer);
    const std::size_t payload = payload_at(header.offset, header.total, capacity);
    header.payload = static_cast<std::uint32_t>(payload);
    header.number = frame.number;
    receiver.begin_frame({peer, 0}, header);
    if (payload > 0) {
      read_at(data, capacity, taken + sizeof(StreamFrame), receiver.place({peer, 0}, 0), payload);
    }
    receiver.end_frame({peer, 0}, header);
    taken += sizeof(StreamFrame) + padded(payload);
    channel.taken.store(taken);
    rings.ring(peer);
  }
}

}  // namespace lockstep::shared_memory

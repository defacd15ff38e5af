#include "transport/shared_memory/outbox.h"

#include <algorithm>
#include <cstring>

namespace lockstep::shared_memory {
namespace {

/// Positions in a channel count all bytes that ever went through it; `capacity` is a power of two.
void write_at(std::byte* data, std::size_t capacity, std::uint64_t position, const void* source,
              std::size_t bytes) {
  const std::size_t begin = position & (capacity - 1);
  const std::size_t first = std::min(bytes, capacity - begin);
  std::memcpy(data + begin, source, first);
  if (bytes > first) std::memcpy(data, static_cast<const std::byte*>(source) + first, bytes - first);
}

void read_at(const std::byte* data, std::size_t capacity, std::uint64_t position, void* target,
             std::size_t bytes) {
  const std::size_t begin = position & (capacity - 1);
  const std::size_t first = std::min(bytes, capacity - begin);
  std::memcpy(target, data + begin, first);
  if (bytes > first) std::memcpy(static_cast<std::byte*>(target) + first, data, bytes - first);
}

/// Headers begin on a boundary.
std::size_t padded(std::size_t bytes) { return (bytes + 15) / 16 * 16; }

constexpr std::size_t HEADER = (sizeof(tcp::FrameHeader) + 15) / 16 * 16;

/// The sender fills one part of a channel while the receiver empties another.
std::size_t longest_payload(std::size_t capacity) { return capacity / 4 - HEADER; }

}  // namespace

bool Outbox::flush() {
  bool wrote = false;
  while (!queue_.empty() && write_frame(*queue_.front())) {
    wrote = true;
    if (sent_ == queue_.front()->bytes) {
      queue_.front()->complete = true;
      queue_.pop_front();
      sent_ = 0;
    }
  }
  if (wrote) memory_->ring(peer_);
  return wrote;
}

bool Outbox::write_frame(tcp::Post& post) {
  if (!is_open_) memory_->open_channel(peer_);
  is_open_ = true;
  Channel& channel = memory_->channel(memory_->rank(), peer_);
  std::byte* const data = memory_->channel_data(memory_->rank(), peer_);
  const std::size_t capacity = memory_->channel_bytes();
  const std::uint64_t written = channel.written.load(std::memory_order_relaxed);
  const std::size_t room = capacity - (written - channel.taken.load());
  const std::size_t payload = std::min(post.bytes - sent_, longest_payload(capacity));
  if (room < HEADER + padded(payload)) return false;
  tcp::FrameHeader header;
  header.source = memory_->rank();
  header.signature = post.signature;
  header.total = post.bytes;
  header.offset = sent_;
  header.payload = static_cast<std::uint32_t>(payload);
  header.number = post.number;
  write_at(data, capacity, written, &header, sizeof(header));
  if (payload > 0) write_at(data, capacity, written + HEADER, post.data + sent_, payload);
  channel.written.store(written + HEADER + padded(payload));
  sent_ += payload;
  return true;
}

bool take_frames(SharedMemory& memory, int peer, tcp::Mailbox& mailbox) {
  Channel& channel = memory.channel(peer, memory.rank());
  const std::byte* const data = memory.channel_data(peer, memory.rank());
  const std::size_t capacity = memory.channel_bytes();
  std::uint64_t taken = channel.taken.load(std::memory_order_relaxed);
  const std::uint64_t begin = taken;
  while (channel.written.load() != taken) {
    tcp::FrameHeader header;
    read_at(data, capacity, taken, &header, sizeof(header));
    if (header.payload > longest_payload(capacity)) throw tcp::broken_order_error(peer);
    mailbox.begin_frame({peer, 0}, header);
    if (header.payload > 0) {
      read_at(data, capacity, taken + HEADER, mailbox.place({peer, 0}, 0), header.payload);
    }
    mailbox.end_frame({peer, 0});
    taken += HEADER + padded(header.payload);
    channel.taken.store(taken);
    memory.ring(peer);
  }
  return taken != begin;
}

}  // namespace lockstep::shared_memory

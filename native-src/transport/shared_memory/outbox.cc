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
  if (wrote) rings_.ring(peer_);
  return wrote;
}

bool Outbox::take_back(const tcp::Post& post) {
  const auto found = std::ranges::find(queue_, &post);
  if (found == queue_.end() || (found == queue_.begin() && sent_ > 0)) return false;
  queue_.erase(found);
  return true;
}

bool Outbox::write_frame(tcp::Post& post) {
  Channel& channel = rings_.channel(rings_.rank(), peer_);
  std::byte* const data = rings_.data(rings_.rank(), peer_);
  const std::size_t capacity = rings_.capacity();
  const std::uint64_t written = channel.written.load(std::memory_order_relaxed);
  const std::size_t room = capacity - (written - channel.taken.load());
  const std::size_t payload = std::min(post.bytes - sent_, longest_payload(capacity));
  if (room < HEADER + padded(payload)) return false;
  tcp::FrameHeader header;
  header.source = rings_.rank();
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

}  // namespace lockstep::shared_memory

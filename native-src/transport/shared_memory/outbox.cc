#include "transport/shared_memory/outbox.h"

#include <algorithm>
#include <cstring>

namespace lockstep::shared_memory {
namespace {

constexpr std::size_t WARM = 4 << 10;

/// `capacity` is a power of two.
void write_at(std::byte* data, std::size_t capacity, std::uint64_t position, const void* source,
              std::size_t bytes) {
  const std::size_t begin = position & (capacity - 1);
  const std::size_t first = std::min(bytes, capacity - begin);
  std::memcpy(data + begin, source, first);
  if (bytes > first) std::memcpy(data, static_cast<const std::byte*>(source) + first, bytes - first);
}

}  // namespace

void Outbox::send(tcp::Post& post) {
  if (!post.signature.is_point_to_point()) post.number = collectives_++;
  if (queue_.empty() && write_frame(post)) {
    rings_.ring(peer_);
    if (sent_ == post.bytes) {
      sent_ = 0;
      post.complete = true;
      return;
    }
  }
  queue_.push_back(&post);
  flush();
}

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

// Short messages that are taken as they come use the same few lines again, which both ranks have in their
// nearest caches, instead of walking through the whole ring.
void Outbox::go_back_to_warm_lines(std::byte* data, std::size_t capacity, std::size_t length) {
  next_look_ = written_ + WARM;
  // What follows must not reach the mark that is left here.
  if ((written_ & (capacity - 1)) < std::max(WARM, length + sizeof(StreamFrame))) return;
  taken_seen_ = rings_.channel(rings_.rank(), peer_).taken.load();
  if (taken_seen_ != written_) return;
  frame_at(data, capacity, 0).published.store(StreamFrame::NONE, std::memory_order_relaxed);
  frame_at(data, capacity, written_).published.store(StreamFrame::LAP, std::memory_order_release);
  written_ = next_lap(written_, capacity);
  next_look_ = written_ + WARM;
}

bool Outbox::write_frame(tcp::Post& post) {
  const std::size_t capacity = rings_.capacity();
  const std::size_t payload = payload_at(sent_, post.bytes, capacity);
  const std::size_t length = sizeof(StreamFrame) + padded(payload);
  const auto fits = [&] { return capacity - (written_ - taken_seen_) >= length + sizeof(StreamFrame); };
  if (!fits()) {
    taken_seen_ = rings_.channel(rings_.rank(), peer_).taken.load();
    if (!fits()) return false;
  }
  std::byte* const data = rings_.data(rings_.rank(), peer_);
  if (written_ >= next_look_) go_back_to_warm_lines(data, capacity, length);
  frame_at(data, capacity, written_ + length).published.store(StreamFrame::NONE, std::memory_order_relaxed);
  StreamFrame& frame = frame_at(data, capacity, written_);
  frame.number = post.number;
  frame.signature = post.signature;
  frame.total = post.bytes;
  frame.offset = sent_;
  if (payload > 0) write_at(data, capacity, written_ + sizeof(StreamFrame), post.data + sent_, payload);
  frame.published.store(StreamFrame::PART);
  written_ += length;
  sent_ += payload;
  return true;
}

}  // namespace lockstep::shared_memory

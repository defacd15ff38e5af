#include "transport/in_process/in_process_wire.h"

#include <algorithm>
#include <cstring>

#include "transport/in_process/in_process_transport.h"

namespace lockstep::in_process {

bool InProcessWire::put(int peer, WireHub::Packet packet) {
  WireHub::Box& box = hub_->boxes_[static_cast<std::size_t>(peer)];
  std::lock_guard lock(box.mutex);
  if (box.closed) return false;
  box.packets.push_back(std::move(packet));
  ++box.events;
  box.changed.notify_all();
  return true;
}

void InProcessWire::send(tcp::Post& post) {
  WireHub::Packet packet;
  packet.header.source = rank_;
  packet.header.signature = post.signature;
  packet.header.total = post.bytes;
  if (post.bytes > 0) {
    packet.data = std::make_unique_for_overwrite<std::byte[]>(post.bytes);
    std::memcpy(packet.data.get(), post.data, post.bytes);
  }
  // To a rank that has left it goes nowhere, as in any wire where the goodbye is still to come.
  put(post.peer, std::move(packet));
  post.complete = true;
}

bool InProcessWire::progress(WireReceiver& receiver) {
  WireHub::Box& box = hub_->boxes_[static_cast<std::size_t>(rank_)];
  std::deque<WireHub::Packet> packets;
  {
    std::lock_guard lock(box.mutex);
    packets.swap(box.packets);
  }
  for (WireHub::Packet& packet : packets) {
    tcp::FrameHeader& header = packet.header;
    const int source = header.source;
    if (header.kind == tcp::FrameKind::GOODBYE) {
      receiver.peer_gone(source, std::nullopt);
      continue;
    }
    // A frame's payload has 32 bits.
    constexpr std::uint64_t LONGEST = 1U << 30;
    do {
      header.payload = static_cast<std::uint32_t>(std::min(LONGEST, header.total - header.offset));
      receiver.begin_frame({source, 0}, header);
      if (header.payload > 0) {
        std::memcpy(receiver.place({source, 0}, 0), packet.data.get() + header.offset, header.payload);
      }
      receiver.end_frame({source, 0}, header);
      header.offset += header.payload;
    } while (header.offset < header.total);
  }
  return !packets.empty();
}

void InProcessWire::prepare_sleep() {
  WireHub::Box& box = hub_->boxes_[static_cast<std::size_t>(rank_)];
  std::lock_guard lock(box.mutex);
  seen_events_ = box.events;
}

void InProcessWire::sleep(std::chrono::milliseconds limit) {
  WireHub::Box& box = hub_->boxes_[static_cast<std::size_t>(rank_)];
  std::unique_lock lock(box.mutex);
  box.changed.wait_for(lock, limit, [&] { return box.events != seen_events_; });
}

void InProcessWire::wake() noexcept {
  WireHub::Box& box = hub_->boxes_[static_cast<std::size_t>(rank_)];
  std::lock_guard lock(box.mutex);
  ++box.events;
  box.changed.notify_all();
}

std::shared_ptr<Group> WireHub::reform(const Reformation& reformation) {
  std::lock_guard lock(mutex_);
  const std::vector<int> members(reformation.members.begin(), reformation.members.end());
  std::shared_ptr<Group>& group = reformed_[{reformation.generation, members}];
  if (group == nullptr) group = std::make_shared<Group>(static_cast<int>(members.size()));
  return group;
}

std::unique_ptr<Transport> InProcessWire::reform(const Reformation& reformation) {
  const auto own = std::ranges::find(reformation.members, rank_) - reformation.members.begin();
  return std::make_unique<InProcessTransport>(hub_->reform(reformation), static_cast<int>(own));
}

void InProcessWire::close() noexcept {
  if (closed_) return;
  closed_ = true;
  WireHub::Box& own = hub_->boxes_[static_cast<std::size_t>(rank_)];
  {
    std::lock_guard lock(own.mutex);
    own.closed = true;
    own.packets.clear();
  }
  for (int peer = 0; peer < size(); ++peer) {
    if (peer == rank_) continue;
    WireHub::Packet goodbye;
    goodbye.header.kind = tcp::FrameKind::GOODBYE;
    goodbye.header.source = rank_;
    put(peer, std::move(goodbye));
  }
}

}  // namespace lockstep::in_process

#pragma once

#include <cstddef>
#include <deque>

#include "transport/shared_memory/shared_memory.h"
#include "transport/tcp/mailbox.h"

namespace lockstep::shared_memory {

/// What one rank has still to write to one peer, and how it goes: in frames (a header and a part of a
/// message), each published whole, so that the receiver never sees half of one.
class Outbox {
 public:
  Outbox(SharedMemory& memory, int peer) : memory_(&memory), peer_(peer) {}

  void queue(tcp::Post& post) {
    if (!post.signature.is_point_to_point()) post.number = collectives_++;
    queue_.push_back(&post);
  }
  bool is_empty() const { return queue_.empty(); }

  /// Writes what there is room for. @return whether it wrote anything
  bool flush();

 private:
  bool write_frame(tcp::Post& post);

  SharedMemory* memory_;
  int peer_;
  bool is_open_ = false;
  std::deque<tcp::Post*> queue_;
  std::uint32_t collectives_ = 0;  // messages of collectives queued so far
  std::size_t sent_ = 0;           ///< bytes of the first message
};

/// Takes what `peer` has written, frame by frame. @return whether there was anything
bool take_frames(SharedMemory& memory, int peer, tcp::Mailbox& mailbox);

}  // namespace lockstep::shared_memory

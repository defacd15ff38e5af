#pragma once

#include <cstddef>
#include <memory>

#include "transport/shared_memory/layout.h"
#include "transport/shared_memory/registered_memory.h"

namespace lockstep::shared_memory {

/// The byte streams between the ranks of a segment for one use, and where their readers sleep.
class Rings {
 public:
  Rings(std::shared_ptr<RegisteredMemory> registered, const Layout& layout, int rank, Use use)
      : registered_(std::move(registered)),
        layout_(layout),
        base_(registered_->segment().base()),
        rank_(rank),
        use_(use) {}

  int rank() const { return rank_; }
  int size() const { return static_cast<int>(layout_.ranks); }
  std::size_t capacity() const { return layout_.channel_bytes; }
  RegisteredMemory& registered() const { return *registered_; }

  Channel& channel(int from, int to) const {
    return *reinterpret_cast<Channel*>(
        base_ + layout_.channel(use_, static_cast<std::size_t>(from), static_cast<std::size_t>(to)));
  }
  std::byte* data(int from, int to) const {
    return base_ + layout_.channel_data(use_, static_cast<std::size_t>(from), static_cast<std::size_t>(to));
  }
  Member& member(int rank) const {
    return *reinterpret_cast<Member*>(base_ + layout_.member(static_cast<std::size_t>(rank)));
  }
  SleepDoorbell& doorbell(int rank) const {
    Member& of = member(rank);
    return use_ == Use::MESSAGES ? of.message_doorbell : of.doorbell;
  }
  /// Wakes a rank that may be asleep, after something was written for it.
  void ring(int rank) const {
    SleepDoorbell& of = doorbell(rank);
    if (of.sleeps.load() == 0) return;
    of.rings.fetch_add(1);
    futex_wake(of.rings);
  }

 private:
  std::shared_ptr<RegisteredMemory> registered_;
  const Layout layout_;
  std::byte* const base_;
  const int rank_;
  const Use use_;
};

}  // namespace lockstep::shared_memory

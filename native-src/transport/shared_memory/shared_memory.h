#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "transport/shared_memory/layout.h"
#include "transport/shared_memory/registered_memory.h"
#include "transport/shared_memory/rings.h"
#include "transport/stall.h"
#include "transport/transport.h"

namespace lockstep {

struct SharedMemoryOptions {
  /// One staging buffer: long enough to hide the cost of a meeting, short enough for all of them to stay in
  /// the cores' caches. Equal on all ranks.
  std::size_t staging_bytes = 128 << 10;
  /// The most for one direction between two ranks and one use; a power of two. Less where there are many
  /// ranks or little room. Equal on all ranks.
  std::size_t channel_bytes = 128 << 10;
  /// Whether ranks find the segment by a name, as they must where they cannot see each other's processes; for
  /// tests.
  bool by_name = false;
  /// How long a rank polls before it sleeps.
  std::chrono::microseconds spin{50};
};

/// What a rank waits with.
struct Waiting {
  const Signature& signature;  ///< of what it is doing
  const Deadline& deadline;
};

/// The memory that the ranks of one host share, and the points at which they meet in it.
///
/// A collective is a sequence of steps, the same on all ranks: a rank writes, says that it has come
/// (announce() or arrive()), awaits the others, and reads what they wrote. What is written before step k may
/// be read from step k on, until one's own step k + 1 is said; so with two buffers, used in even and odd
/// steps, nobody overwrites what another still reads. The first step of each collective is an announcement,
/// in which ranks that disagree find that out.
///
/// One thread at a time, but for allocate() and what comes of it. Every await throws what Transport::wait()
/// throws.
class SharedMemory {
 public:
  using RegisteredMemory = shared_memory::RegisteredMemory;

  /// Makes the segment of a group of `ranks`, all its fixed parts backed.
  /// @param arena_bytes address space for the registered memory of each rank
  static shared_memory::Segment make_segment(int ranks, const SharedMemoryOptions& options);

  /// Takes the place of `rank`; who goes without leave() counts as dead. @throws Error SYSTEM, RENDEZVOUS
  /// when the segment is another version's
  SharedMemory(shared_memory::Segment segment, int rank, const SharedMemoryOptions& options);

  int rank() const { return rank_; }
  int size() const { return static_cast<int>(layout_.ranks); }
  shared_memory::Segment& segment() { return registered_->segment(); }

  /// Zeroed memory on a page boundary, registered: peers can read and write it. It outlives the group.
  /// @throws Error SYSTEM when /dev/shm has too little left
  std::shared_ptr<std::byte> allocate(std::size_t bytes);
  std::optional<std::uint64_t> registered_offset(const void* memory, std::size_t bytes) const {
    return registered_->offset_of(memory, bytes);
  }
  std::byte* registered(int rank, std::uint64_t offset) const { return registered_->arena(rank) + offset; }

  /// Memory of rank 0's arena that all ranks use; it goes back once all have freed it. On other ranks: where
  /// `offset`, which rank 0 has told them, lies here. @throws Error SYSTEM
  std::shared_ptr<std::byte> allocate_shared(std::size_t bytes, std::uint64_t& offset);
  std::shared_ptr<std::byte> shared_at(std::uint64_t offset);
  /// Where [memory, memory + bytes) lies in rank 0's arena; nothing where it does not.
  std::optional<std::uint64_t> shared_offset(const void* memory, std::size_t bytes) const;

  /// This rank's step so far.
  std::uint64_t step() const { return step_; }

  /// Says which collective this rank enters, and up to Announcement::PAYLOAD bytes with it.
  void announce(const Signature& signature, std::span<const std::byte> payload);
  /// @return what `peer` announced in this step @throws Error MISMATCH where its signature differs
  const std::byte* await_announcement(int peer, const Waiting& waiting) const;

  void arrive();
  void await_arrival(int peer, const Waiting& waiting) const;
  void await_all_arrivals(const Waiting& waiting) const;

  std::size_t staging_bytes() const { return layout_.staging_bytes; }
  /// Buffer `number` (below Layout::STAGING_BUFFERS) of a rank.
  std::byte* staging(int rank, std::size_t number) const {
    return base_ + layout_.staging(static_cast<std::size_t>(rank)) + number * layout_.staging_bytes;
  }

  /// Brackets this rank's writes into memory of others (registered buffers, parameters). Whoever fails or
  /// leaves waits until nobody writes there any more, so that its caller may use its memory again.
  class Touching {
   public:
    /// @throws Error what ended the group, if something has; then nothing may be touched
    explicit Touching(const SharedMemory& memory);
    ~Touching();
    Touching(const Touching&) = delete;
    Touching& operator=(const Touching&) = delete;

   private:
    const SharedMemory& memory_;
  };

  /// Leaves a note of the collective that this rank is in, for those who wait for it in another one.
  void note(const Signature& signature);
  /// What `rank` noted last; nothing while it is writing.
  std::optional<Signature> current_operation(int rank) const;

  /// Polls `ready`, then sleeps between polls, until it is true.
  template <typename Ready>
  void wait(Ready ready, int awaited, const Waiting& waiting) const {
    for (int i = 0; i < first_polls_; ++i) {
      if (ready()) return;
      relax();
    }
    wait_long(std::function<bool()>(std::cref(ready)), awaited, waiting);
  }

  /// What is done now and then while this rank waits: messages that come meanwhile are taken in.
  void set_while_waiting(std::function<void()> task) { while_waiting_ = std::move(task); }

  /// Wakes a rank that may be asleep, after something was written for it.
  void ring(int rank) const;

  /// The byte streams of one use between this rank and each other.
  shared_memory::Rings rings(shared_memory::Use use) const { return {registered_, layout_, rank_, use}; }
  /// Whether there are fewer processors than ranks.
  bool is_oversubscribed() const;

  /// What was read from each peer's memory and how long each was waited for.
  Traffic& traffic() const { return traffic_; }

  bool has_left(int rank) const;
  /// Throws what ended the group, if something has.
  void check_failure() const;
  /// Tells all ranks why the group ends.
  void fail(const Error& reason) noexcept;
  /// Says goodbye. Idempotent.
  void leave() noexcept;

 private:
  static void relax();
  void wait_long(const std::function<bool()>& ready, int awaited, const Waiting& waiting) const;
  void wait_asleep(const std::function<bool()>& ready, int awaited, const Waiting& waiting) const;
  std::vector<WaitReport> wait_reports() const;
  void spin(const std::function<bool()>& ready, bool& done) const;
  void check_trouble(const std::function<bool()>& ready, int awaited, const Waiting& waiting,
                     bool looks_at_peers) const;
  void check_peers(const Signature& own) const;
  std::vector<int> awaited_by(int awaited) const;
  void sleep(const std::function<bool()>& ready, std::chrono::milliseconds patience) const;
  void ring_all() const;
  void ring_those_who_wait() const;
  void await_untouched() const noexcept;
  shared_memory::Group& group() const;
  shared_memory::Member& member(int rank) const;

  const int rank_;
  const shared_memory::Layout layout_;
  const SharedMemoryOptions options_;
  const std::shared_ptr<RegisteredMemory> registered_;
  std::byte* const base_;
  std::uint64_t step_ = 0;
  Signature noted_;
  mutable Traffic traffic_;
  bool has_left_ = false;
  mutable int first_polls_ = 200;  ///< before the clock is looked at
  mutable std::optional<bool> oversubscribed_;
  std::function<void()> while_waiting_;
};

}  // namespace lockstep

// How the ranks of a SharedMemory wait for each other, and what they learn meanwhile.

#include <sched.h>

#include <algorithm>
#include <array>
#include <bit>
#include <tuple>

#include "transport/shared_memory/futex.h"
#include "transport/shared_memory/shared_memory.h"

namespace lockstep {

using shared_memory::CurrentOperation;
using shared_memory::Failure;
using shared_memory::Member;
using shared_memory::SleepDoorbell;
using shared_memory::WaitState;
using std::chrono::milliseconds;

namespace {

// How often a rank that waits looks whether its peers live and what they do.
constexpr milliseconds LOOK_INTERVAL{20};
constexpr int POLLS_PER_CLOCK = 32;
// A rank that waits looks much more often, unless it is stopped.
constexpr std::chrono::seconds LONGEST_SILENCE{1};

// A sequence lock: who reads a word of the new signature also sees the odd version that was written before
// it.
void write(CurrentOperation& own, const Signature& signature) {
  const auto words = std::bit_cast<std::array<std::uint64_t, shared_memory::SIGNATURE_WORDS>>(signature);
  const std::uint64_t version = own.version.load(std::memory_order_relaxed);
  own.version.store(version + 1, std::memory_order_relaxed);
  for (std::size_t i = 0; i < words.size(); ++i) own.words[i].store(words[i], std::memory_order_release);
  own.version.store(version + 2, std::memory_order_release);
}

/// Nothing while it is being written.
std::optional<Signature> read(const CurrentOperation& theirs) {
  std::array<std::uint64_t, shared_memory::SIGNATURE_WORDS> words;
  const std::uint64_t version = theirs.version.load(std::memory_order_acquire);
  for (std::size_t i = 0; i < words.size(); ++i) words[i] = theirs.words[i].load(std::memory_order_acquire);
  if (version % 2 != 0 || theirs.version.load(std::memory_order_relaxed) != version) return std::nullopt;
  return std::bit_cast<Signature>(words);
}

std::int64_t now_nanoseconds() {
  return std::chrono::nanoseconds(Deadline::Clock::now().time_since_epoch()).count();
}

}  // namespace

void SharedMemory::note(const Signature& signature) {
  write(member(rank_).current_operation, signature);
  noted_ = signature;
}

std::optional<Signature> SharedMemory::current_operation(int rank) const {
  return read(member(rank).current_operation);
}

void SharedMemory::relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb");
#endif
}

void SharedMemory::wait_long(const std::function<bool()>& ready, int awaited, const Waiting& waiting) const {
  const Traffic::Wait counted(traffic_, awaited);
  bool done = false;
  spin(ready, done);
  if (!done) wait_asleep(ready, awaited, waiting);
}

// The wait is slow already: sleeping and clock reads no longer matter.
void SharedMemory::wait_asleep(const std::function<bool()>& ready, int awaited,
                               const Waiting& waiting) const {
  WaitState& own = member(rank_).patience;
  write(own.doing, waiting.signature);
  own.awaited.store(awaited);
  own.since.store(now_nanoseconds());
  struct End {
    WaitState& patience;
    ~End() { patience.since.store(0); }
  };
  const End end{own};
  StallWatch watch(rank_, waiting.signature, awaited, waiting.deadline);
  std::int64_t looked = 0;
  for (bool done = false; !done; done = ready()) {
    const std::int64_t now = now_nanoseconds();
    own.last_look.store(now);
    // A system call for each peer: not at every wake-up.
    const bool looks_at_peers = now - looked >= std::chrono::nanoseconds(LOOK_INTERVAL).count();
    if (looks_at_peers) looked = now;
    check_trouble(ready, awaited, waiting, looks_at_peers);
    if (watch.look() == StallWatch::Due::REPORT) watch.report(wait_reports());
    if (while_waiting_) while_waiting_();
    sleep(ready, std::min(waiting.deadline.slice(), LOOK_INTERVAL));
  }
}

// Who is awaited may itself wait for a rank that does not: then that one is at fault. In a circle nobody is
// more at fault than who is awaited here.
std::vector<int> SharedMemory::awaited_by(int awaited) const {
  const std::int64_t silent_since = now_nanoseconds() - std::chrono::nanoseconds(LONGEST_SILENCE).count();
  std::vector<int> chain{awaited};
  while (chain.back() != Transport::ANY && chain.back() != rank_) {
    const WaitState& theirs = member(chain.back()).patience;
    const int next = theirs.awaited.load();
    const bool waits = theirs.since.load() != 0 && theirs.last_look.load() >= silent_since;
    if (!waits || next < 0 || next >= size()) return chain;
    if (std::ranges::find(chain, next) != chain.end()) break;
    chain.push_back(next);
  }
  return {awaited};
}

std::vector<WaitReport> SharedMemory::wait_reports() const {
  std::vector<WaitReport> entries(layout_.ranks);
  for (int rank = 0; rank < size(); ++rank) {
    WaitReport& entry = entries[static_cast<std::size_t>(rank)];
    const WaitState& theirs = member(rank).patience;
    entry.has_left = has_left(rank);
    entry.last_seen = current_operation(rank);
    entry.last_seen_seconds = WaitReport::UNKNOWN;
    const std::int64_t since = theirs.since.load();
    const std::optional<Signature> doing = read(theirs.doing);
    if (since == 0 || !doing) continue;
    entry.pending = PendingOperation{*doing, theirs.awaited.load(),
                                     static_cast<double>(now_nanoseconds() - since) * 1e-9};
  }
  return entries;
}

// With a processor for every rank, polling is the fastest. With fewer, the awaited rank may need this one's.
void SharedMemory::spin(const std::function<bool()>& ready, bool& done) const {
  const bool yields = is_oversubscribed();
  const auto end = Deadline::Clock::now() + options_.spin;
  do {
    for (int i = 0; i < (yields ? 1 : POLLS_PER_CLOCK); ++i) {
      done = ready();
      if (done) return;
      if (yields) {
        ::sched_yield();
      } else {
        relax();
      }
    }
  } while (Deadline::Clock::now() < end);
}

void SharedMemory::check_trouble(const std::function<bool()>& ready, int awaited, const Waiting& waiting,
                                 bool looks_at_peers) const {
  check_failure();
  if (awaited != Transport::ANY && has_left(awaited) && !ready()) {
    check_failure();  // A rank that fails says so before it leaves.
    throw peer_left_error(rank_, awaited, waiting.signature);
  }
  if (waiting.deadline.cancelled()) throw cancelled_error(rank_, waiting.signature, waiting.deadline);
  if (looks_at_peers) check_peers(waiting.signature);
  if (waiting.deadline.passed() && !ready()) {
    throw timeout_error(rank_, awaited_by(awaited), waiting.signature, waiting.deadline);
  }
}

void SharedMemory::check_peers(const Signature& own) const {
  for (int peer = 0; peer < size(); ++peer) {
    if (peer == rank_ || has_left(peer)) continue;
    if (!registered_->segment().is_present(peer)) {
      check_failure();  // A rank that fails or leaves says so before it goes.
      if (has_left(peer)) continue;
      throw peer_died_error(rank_, peer, own);
    }
    if (own != noted_) continue;
    const std::optional<Signature> theirs = current_operation(peer);
    if (theirs && theirs->sequence == own.sequence && *theirs != own) {
      throw mismatch_error(rank_, own, peer, *theirs);
    }
  }
}

void SharedMemory::sleep(const std::function<bool()>& ready, milliseconds patience) const {
  SleepDoorbell& doorbell = member(rank_).doorbell;
  doorbell.sleeps.store(1);
  const std::uint32_t rings = doorbell.rings.load();
  if (!ready() && group().failure.state.load() != Failure::TOLD) {
    shared_memory::futex_wait(doorbell.rings, rings, patience);
  }
  doorbell.sleeps.store(0);
}

void SharedMemory::ring(int rank) const {
  SleepDoorbell& doorbell = member(rank).doorbell;
  if (doorbell.sleeps.load() == 0) return;
  doorbell.rings.fetch_add(1);
  shared_memory::futex_wake(doorbell.rings);
}

void SharedMemory::ring_all() const {
  for (int peer = 0; peer < size(); ++peer) {
    if (peer != rank_) ring(peer);
  }
}

// A rank that sleeps says first whom it awaits; if that is another one, it will look at this rank's step once
// it gets there.
void SharedMemory::ring_those_who_wait() const {
  for (int peer = 0; peer < size(); ++peer) {
    if (peer == rank_ || member(peer).doorbell.sleeps.load() == 0) continue;
    const int awaited = member(peer).patience.awaited.load();
    if (awaited == rank_ || awaited == Transport::ANY) ring(peer);
  }
}

// Ranks that are bound to a processor each have together as many as they need.
bool SharedMemory::is_oversubscribed() const {
  if (!oversubscribed_) {
    std::array<std::uint64_t, std::tuple_size_v<decltype(Member::processors)>> all{};
    for (int peer = 0; peer < size(); ++peer) {
      for (std::size_t i = 0; i < all.size(); ++i) all[i] |= member(peer).processors[i];
    }
    int processors = 0;
    for (std::uint64_t bits : all) processors += std::popcount(bits);
    oversubscribed_ = size() > processors;
    if (*oversubscribed_) first_polls_ = 1;
  }
  return *oversubscribed_;
}

}  // namespace lockstep

#include "transport/shared_memory/shared_memory.h"

#include <sched.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#include <tuple>

#include "core/utf8.h"
#include "transport/shared_memory/futex.h"

namespace lockstep {

using shared_memory::Announcement;
using shared_memory::Bell;
using shared_memory::Channel;
using shared_memory::Failure;
using shared_memory::Group;
using shared_memory::Layout;
using shared_memory::Member;
using shared_memory::Patience;
using shared_memory::Segment;
using shared_memory::Whereabouts;
using std::chrono::milliseconds;

namespace {

// How often a rank that waits looks whether its peers live and what they do.
constexpr milliseconds LOOK_INTERVAL{20};
// Address space is not for free where its page tables are counted; half of what x86-64 has is plenty.
constexpr std::size_t ADDRESS_SPACE = std::size_t{1} << 45;
constexpr int POLLS_PER_CLOCK = 32;
// A rank that waits looks much more often, unless it is stopped.
constexpr std::chrono::seconds LONGEST_SILENCE{1};

/// No rank can allocate more than there is.
std::size_t arena_bytes_for(int ranks) {
  struct statvfs system {};
  std::size_t capacity = std::size_t{1} << 40;
  if (::statvfs("/dev/shm", &system) == 0 && system.f_blocks > 0) {
    capacity = static_cast<std::size_t>(system.f_blocks) * system.f_frsize;
  }
  return Layout::page(std::min(capacity, ADDRESS_SPACE / static_cast<std::size_t>(ranks)));
}

Layout layout_of(const Segment& segment) {
  const auto* group = reinterpret_cast<const Group*>(segment.base());
  if (segment.bytes() < sizeof(Group) || group->magic != shared_memory::MAGIC ||
      group->version != shared_memory::VERSION) {
    throw Error(ErrorCode::RENDEZVOUS,
                "The ranks of this host run different versions of Lockstep; install one version for all.");
  }
  return {group->ranks, group->staging_bytes, group->channel_bytes, group->arena_bytes};
}

// A sequence lock: who reads a word of the new signature also sees the odd version that was written before
// it.
void write(Whereabouts& own, const Signature& signature) {
  const auto words = std::bit_cast<std::array<std::uint64_t, shared_memory::SIGNATURE_WORDS>>(signature);
  const std::uint64_t version = own.version.load(std::memory_order_relaxed);
  own.version.store(version + 1, std::memory_order_relaxed);
  for (std::size_t i = 0; i < words.size(); ++i) own.words[i].store(words[i], std::memory_order_release);
  own.version.store(version + 2, std::memory_order_release);
}

/// Nothing while it is being written.
std::optional<Signature> read(const Whereabouts& theirs) {
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

namespace shared_memory {

Pool::Pool(Segment segment, const Layout& layout, int rank)
    : segment_(std::move(segment)),
      layout_(layout),
      rank_(rank),
      arenas_(segment_.base() + layout.arena(0)),
      arena_(layout.arena_bytes) {}

std::byte* Pool::allocate(std::size_t bytes) {
  std::lock_guard lock(mutex_);
  const std::optional<std::size_t> offset = arena_.take(bytes);
  if (!offset) {
    throw Error(ErrorCode::SYSTEM, "A shared buffer of " + std::to_string(bytes) +
                                       " bytes is larger than all of /dev/shm; enlarge it, or choose the tcp "
                                       "backend.");
  }
  try {
    segment_.reserve(layout_.arena(static_cast<std::size_t>(rank_)) + *offset, bytes);
  } catch (...) {
    arena_.give_back(*offset);
    throw;
  }
  return arena(rank_) + *offset;
}

void Pool::free(std::byte* memory) noexcept {
  std::lock_guard lock(mutex_);
  const auto offset = static_cast<std::size_t>(memory - arena(rank_));
  const std::size_t length = arena_.give_back(offset);
  segment_.release(layout_.arena(static_cast<std::size_t>(rank_)) + offset, length);
}

std::optional<std::uint64_t> Pool::offset_of(const void* memory, std::size_t bytes) const {
  const std::byte* const own = arena(rank_);
  const auto* const address = static_cast<const std::byte*>(memory);
  if (std::less<>()(address, own) || !std::less<>()(address, own + layout_.arena_bytes)) return std::nullopt;
  const auto offset = static_cast<std::size_t>(address - own);
  if (!arena_.contains(offset, bytes)) return std::nullopt;
  return offset;
}

}  // namespace shared_memory

Segment SharedMemory::make_segment(int ranks, const SharedMemoryOptions& options) {
  const Layout layout{static_cast<std::size_t>(ranks), options.staging_bytes, options.channel_bytes,
                      arena_bytes_for(ranks)};
  Segment segment = Segment::create(layout.total_bytes());
  segment.reserve(0, layout.fixed_bytes());
  // A new file is all zeros, which is what every atomic begins with.
  auto* group = new (segment.base()) Group;
  group->version = shared_memory::VERSION;
  group->ranks = static_cast<std::uint32_t>(ranks);
  group->staging_bytes = static_cast<std::uint32_t>(options.staging_bytes);
  group->channel_bytes = options.channel_bytes;
  group->arena_bytes = layout.arena_bytes;
  group->magic = shared_memory::MAGIC;
  return segment;
}

SharedMemory::SharedMemory(Segment segment, int rank, const SharedMemoryOptions& options)
    : rank_(rank),
      layout_(layout_of(segment)),
      options_(options),
      pool_(std::make_shared<Pool>(std::move(segment), layout_, rank)),
      base_(pool_->segment().base()),
      traffic_(static_cast<int>(layout_.ranks)) {
  pool_->segment().hold_presence(rank);
  Member& own = member(rank);
  cpu_set_t processors;
  CPU_ZERO(&processors);
  if (::sched_getaffinity(0, sizeof(processors), &processors) == 0) {
    static_assert(sizeof(processors) == sizeof(own.processors));
    std::memcpy(own.processors.data(), &processors, sizeof(processors));
  }
  own.state.store(Member::HERE);
}

Group& SharedMemory::group() const { return *reinterpret_cast<Group*>(base_); }

Member& SharedMemory::member(int rank) const {
  return *reinterpret_cast<Member*>(base_ + layout_.member(static_cast<std::size_t>(rank)));
}

std::shared_ptr<std::byte> SharedMemory::allocate(std::size_t bytes) {
  return {pool_->allocate(bytes), [pool = pool_](std::byte* memory) { pool->free(memory); }};
}

// Never given back before the segment goes: a rank that frees its handle must not take the memory from under
// others.
std::shared_ptr<std::byte> SharedMemory::allocate_shared(std::size_t bytes, std::uint64_t& offset) {
  std::byte* const memory = pool_->allocate(bytes);
  offset = static_cast<std::uint64_t>(memory - pool_->arena(0));
  return shared_at(offset);
}

std::shared_ptr<std::byte> SharedMemory::shared_at(std::uint64_t offset) {
  return {pool_->arena(0) + offset, [pool = pool_](std::byte*) {}};
}

std::optional<std::uint64_t> SharedMemory::shared_offset(const void* memory, std::size_t bytes) const {
  const std::byte* const begin = pool_->arena(0);
  const auto* const address = static_cast<const std::byte*>(memory);
  if (std::less<>()(address, begin)) return std::nullopt;
  const auto offset = static_cast<std::size_t>(address - begin);
  if (offset > layout_.arena_bytes || bytes > layout_.arena_bytes - offset) return std::nullopt;
  return offset;
}

void SharedMemory::announce(const Signature& signature, std::span<const std::byte> payload) {
  ++step_;
  Announcement& own = member(rank_).announcements[step_ % 2];
  own.signature = signature;
  if (!payload.empty()) std::memcpy(own.payload.data(), payload.data(), payload.size());
  own.step.store(step_);
  ring_all();
}

const std::byte* SharedMemory::await_announcement(int peer, const Waiting& waiting) const {
  const Announcement& theirs = member(peer).announcements[step_ % 2];
  wait([&] { return theirs.step.load() == step_; }, peer, waiting);
  if (theirs.signature != waiting.signature) {
    throw mismatch_error(rank_, waiting.signature, peer, theirs.signature);
  }
  return theirs.payload.data();
}

void SharedMemory::arrive() {
  member(rank_).step.store(++step_);
  ring_all();
}

void SharedMemory::await_arrival(int peer, const Waiting& waiting) const {
  const std::atomic<std::uint64_t>& theirs = member(peer).step;
  wait([&] { return theirs.load() >= step_; }, peer, waiting);
}

void SharedMemory::await_all_arrivals(const Waiting& waiting) const {
  for (int peer = 0; peer < size(); ++peer) {
    if (peer != rank_) await_arrival(peer, waiting);
  }
}

void SharedMemory::note(const Signature& signature) {
  write(member(rank_).whereabouts, signature);
  noted_ = signature;
}

std::optional<Signature> SharedMemory::whereabouts(int rank) const { return read(member(rank).whereabouts); }

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

// From here on sleeps and looks at clocks cost nothing that counts.
void SharedMemory::wait_asleep(const std::function<bool()>& ready, int awaited,
                               const Waiting& waiting) const {
  Patience& own = member(rank_).patience;
  write(own.doing, waiting.signature);
  own.awaited.store(awaited);
  own.since.store(now_nanoseconds());
  struct End {
    Patience& patience;
    ~End() { patience.since.store(0); }
  };
  const End end{own};
  StallWatch watch(rank_, waiting.signature, awaited, waiting.deadline);
  for (bool done = false; !done; done = ready()) {
    own.last_look.store(now_nanoseconds());
    check_trouble(ready, awaited, waiting);
    if (watch.look() == StallWatch::Due::REPORT) watch.report(roll());
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
    const Patience& theirs = member(chain.back()).patience;
    const int next = theirs.awaited.load();
    const bool waits = theirs.since.load() != 0 && theirs.last_look.load() >= silent_since;
    if (!waits || next < 0 || next >= size()) return chain;
    if (std::ranges::find(chain, next) != chain.end()) break;
    chain.push_back(next);
  }
  return {awaited};
}

std::vector<RollEntry> SharedMemory::roll() const {
  std::vector<RollEntry> entries(layout_.ranks);
  for (int rank = 0; rank < size(); ++rank) {
    RollEntry& entry = entries[static_cast<std::size_t>(rank)];
    const Patience& theirs = member(rank).patience;
    entry.has_left = has_left(rank);
    entry.last_seen = whereabouts(rank);
    entry.last_seen_seconds = RollEntry::UNKNOWN;
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

void SharedMemory::check_trouble(const std::function<bool()>& ready, int awaited,
                                 const Waiting& waiting) const {
  check_failure();
  if (awaited != Transport::ANY && has_left(awaited) && !ready()) {
    check_failure();  // A rank that fails says so before it leaves.
    throw peer_left_error(rank_, awaited, waiting.signature);
  }
  if (waiting.deadline.cancelled()) throw cancelled_error(rank_, waiting.signature);
  check_peers(waiting.signature);
  if (waiting.deadline.passed() && !ready()) {
    throw timeout_error(rank_, awaited_by(awaited), waiting.signature, waiting.deadline);
  }
}

void SharedMemory::check_peers(const Signature& own) const {
  for (int peer = 0; peer < size(); ++peer) {
    if (peer == rank_ || has_left(peer)) continue;
    if (!pool_->segment().is_present(peer)) {
      check_failure();  // A rank that fails or leaves says so before it goes.
      if (has_left(peer)) continue;
      throw peer_died_error(rank_, peer, own);
    }
    if (own != noted_) continue;
    const std::optional<Signature> theirs = whereabouts(peer);
    if (theirs && theirs->sequence == own.sequence && *theirs != own) {
      throw mismatch_error(rank_, own, peer, *theirs);
    }
  }
}

void SharedMemory::sleep(const std::function<bool()>& ready, milliseconds patience) const {
  Bell& bell = member(rank_).bell;
  bell.sleeps.store(1);
  const std::uint32_t rings = bell.rings.load();
  if (!ready() && group().failure.state.load() != Failure::TOLD) {
    shared_memory::futex_wait(bell.rings, rings, patience);
  }
  bell.sleeps.store(0);
}

void SharedMemory::ring(int rank) const {
  Bell& bell = member(rank).bell;
  if (bell.sleeps.load() == 0) return;
  bell.rings.fetch_add(1);
  shared_memory::futex_wake(bell.rings);
}

void SharedMemory::ring_all() const {
  for (int peer = 0; peer < size(); ++peer) {
    if (peer != rank_) ring(peer);
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

Channel& SharedMemory::channel(int from, int to) const {
  return *reinterpret_cast<Channel*>(
      base_ + layout_.channel(static_cast<std::size_t>(from), static_cast<std::size_t>(to)));
}

std::byte* SharedMemory::channel_data(int from, int to) const {
  return base_ + layout_.channel_data(static_cast<std::size_t>(from), static_cast<std::size_t>(to));
}

void SharedMemory::open_channel(int to) const {
  pool_->segment().reserve(
      layout_.channel_data(static_cast<std::size_t>(rank_), static_cast<std::size_t>(to)),
      layout_.channel_bytes);
}

bool SharedMemory::has_left(int rank) const { return member(rank).state.load() == Member::LEFT; }

void SharedMemory::check_failure() const {
  const Failure& failure = group().failure;
  if (failure.state.load() != Failure::TOLD) return;
  const std::string message(failure.message.data(),
                            ::strnlen(failure.message.data(), failure.message.size()));
  throw aborted_error(failure.origin, Error(static_cast<ErrorCode>(failure.code), message, failure.rank));
}

void SharedMemory::fail(const Error& reason) noexcept {
  Failure& failure = group().failure;
  std::uint32_t expected = Failure::NONE;
  if (failure.state.compare_exchange_strong(expected, Failure::CLAIMED)) {
    failure.origin = rank_;
    failure.code = static_cast<std::int32_t>(reason.code());
    failure.rank = reason.rank();
    const std::string_view text = cut_utf8(reason.what(), failure.message.size() - 1);
    std::memcpy(failure.message.data(), text.data(), text.size());
    failure.state.store(Failure::TOLD);
  }
  ring_all();
}

void SharedMemory::leave() noexcept {
  if (has_left_) return;
  has_left_ = true;
  member(rank_).state.store(Member::LEFT);
  ring_all();
}

}  // namespace lockstep

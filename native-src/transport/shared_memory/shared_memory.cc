#include "transport/shared_memory/shared_memory.h"

#include <sched.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>
#include <thread>

#include "core/utf8.h"

namespace lockstep {

using shared_memory::Announcement;
using shared_memory::Failure;
using shared_memory::Group;
using shared_memory::Layout;
using shared_memory::Member;
using shared_memory::Segment;

namespace {

// Address space is not for free where its page tables are counted; half of what x86-64 has is plenty.
constexpr std::size_t ADDRESS_SPACE = std::size_t{1} << 45;

/// No rank can allocate more than there is.
std::size_t arena_bytes_for(int ranks) {
  struct statvfs system {};
  std::size_t capacity = std::size_t{1} << 40;
  if (::statvfs("/dev/shm", &system) == 0 && system.f_blocks > 0) {
    capacity = static_cast<std::size_t>(system.f_blocks) * system.f_frsize;
  }
  return Layout::page(std::min(capacity, ADDRESS_SPACE / static_cast<std::size_t>(ranks)));
}

/// All channels of a group together take at most MOST_CHANNELS_BYTES or an eighth of what is left, unless the
/// shortest already take more.
std::size_t channel_bytes_for(int ranks, std::size_t wanted) {
  constexpr std::size_t SHORTEST = 4096;
  constexpr std::size_t MOST_CHANNELS_BYTES = std::size_t{32} << 20;
  std::size_t budget = MOST_CHANNELS_BYTES;
  struct statvfs system {};
  if (::statvfs("/dev/shm", &system) == 0 && system.f_blocks > 0) {
    budget = std::min(budget, static_cast<std::size_t>(system.f_bavail) * system.f_frsize / 8);
  }
  const auto pairs = static_cast<std::size_t>(ranks) * static_cast<std::size_t>(ranks);
  std::size_t bytes = wanted;
  while (bytes > SHORTEST && shared_memory::USES * pairs * bytes > budget) bytes /= 2;
  return bytes;
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

}  // namespace

namespace shared_memory {

RegisteredMemory::RegisteredMemory(Segment segment, const Layout& layout, int rank)
    : segment_(std::move(segment)),
      layout_(layout),
      rank_(rank),
      arenas_(segment_.base() + layout.arena(0)),
      arena_(layout.arena_bytes) {}

std::byte* RegisteredMemory::allocate(std::size_t bytes) {
  std::lock_guard lock(mutex_);
  const std::optional<std::size_t> offset = arena_.take(bytes);
  if (!offset) {
    throw Error(ErrorCode::SYSTEM,
                "A shared buffer of " + std::to_string(bytes) +
                    " bytes does not fit into this rank's share of /dev/shm beside what lies there already; "
                    "enlarge it, or choose the tcp backend.");
  }
  try {
    segment_.reserve(layout_.arena(static_cast<std::size_t>(rank_)) + *offset, bytes);
  } catch (...) {
    arena_.give_back(*offset);
    throw;
  }
  return arena(rank_) + *offset;
}

void RegisteredMemory::free(std::byte* memory) noexcept {
  std::lock_guard lock(mutex_);
  const auto offset = static_cast<std::size_t>(memory - arena(rank_));
  const std::size_t length = arena_.give_back(offset);
  segment_.release(layout_.arena(static_cast<std::size_t>(rank_)) + offset, length);
}

namespace {

constexpr std::size_t USERS_PAGE = 4096;

std::atomic<std::uint32_t>& users_of(std::byte* page) {
  return *reinterpret_cast<std::atomic<std::uint32_t>*>(page);
}

}  // namespace

std::byte* RegisteredMemory::allocate_shared(std::size_t bytes) {
  free_unused_shared();
  const bool overflows = bytes > std::numeric_limits<std::size_t>::max() - USERS_PAGE;
  std::byte* const page = allocate(overflows ? bytes : USERS_PAGE + bytes);
  users_of(page).store(static_cast<std::uint32_t>(layout_.ranks));
  std::lock_guard lock(mutex_);
  shared_.push_back(page);
  return page + USERS_PAGE;
}

void RegisteredMemory::leave_shared(std::byte* memory) noexcept {
  users_of(memory - USERS_PAGE).fetch_sub(1);
  if (rank_ == 0) free_unused_shared();
}

void RegisteredMemory::free_unused_shared() noexcept {
  while (true) {
    std::byte* page = nullptr;
    {
      std::lock_guard lock(mutex_);
      const auto unused =
          std::ranges::find_if(shared_, [](std::byte* each) { return users_of(each).load() == 0; });
      if (unused == shared_.end()) return;
      page = *unused;
      shared_.erase(unused);
    }
    free(page);
  }
}

std::optional<std::uint64_t> RegisteredMemory::offset_of(const void* memory, std::size_t bytes) const {
  const std::byte* const own = arena(rank_);
  const auto* const address = static_cast<const std::byte*>(memory);
  if (std::less<>()(address, own) || !std::less<>()(address, own + layout_.arena_bytes)) return std::nullopt;
  const auto offset = static_cast<std::size_t>(address - own);
  if (!arena_.contains(offset, bytes)) return std::nullopt;
  return offset;
}

}  // namespace shared_memory

Segment SharedMemory::make_segment(int ranks, const SharedMemoryOptions& options) {
  const Layout layout{static_cast<std::size_t>(ranks), options.staging_bytes,
                      channel_bytes_for(ranks, options.channel_bytes), arena_bytes_for(ranks)};
  Segment segment = Segment::create(layout.total_bytes());
  segment.reserve(0, layout.fixed_bytes());
  // A new file is all zeros, which is what every atomic begins with.
  auto* group = new (segment.base()) Group;
  group->version = shared_memory::VERSION;
  group->ranks = static_cast<std::uint32_t>(ranks);
  group->staging_bytes = static_cast<std::uint32_t>(options.staging_bytes);
  group->channel_bytes = layout.channel_bytes;
  group->arena_bytes = layout.arena_bytes;
  group->magic = shared_memory::MAGIC;
  return segment;
}

SharedMemory::SharedMemory(Segment segment, int rank, const SharedMemoryOptions& options)
    : rank_(rank),
      layout_(layout_of(segment)),
      options_(options),
      registered_(std::make_shared<RegisteredMemory>(std::move(segment), layout_, rank)),
      base_(registered_->segment().base()),
      traffic_(static_cast<int>(layout_.ranks)) {
  const auto own_rank = static_cast<std::size_t>(rank);
  registered_->segment().reserve(layout_.channel_data(shared_memory::Use::COLLECTIVES, own_rank, 0),
                                 layout_.channels_bytes());
  registered_->segment().hold_presence(rank);
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
  return {registered_->allocate(bytes),
          [registered = registered_](std::byte* memory) { registered->free(memory); }};
}

std::shared_ptr<std::byte> SharedMemory::allocate_shared(std::size_t bytes, std::uint64_t& offset) {
  std::byte* const memory = registered_->allocate_shared(bytes);
  offset = static_cast<std::uint64_t>(memory - registered_->arena(0));
  return shared_at(offset);
}

std::shared_ptr<std::byte> SharedMemory::shared_at(std::uint64_t offset) {
  return {registered_->arena(0) + offset,
          [registered = registered_](std::byte* memory) { registered->leave_shared(memory); }};
}

std::optional<std::uint64_t> SharedMemory::shared_offset(const void* memory, std::size_t bytes) const {
  const std::byte* const begin = registered_->arena(0);
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
  ring_those_who_wait();
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
  ring_those_who_wait();
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

bool SharedMemory::has_left(int rank) const { return member(rank).state.load() == Member::LEFT; }

void SharedMemory::check_failure() const {
  const Failure& failure = group().failure;
  if (failure.state.load() != Failure::TOLD) return;
  const std::string message(failure.message.data(),
                            ::strnlen(failure.message.data(), failure.message.size()));
  throw aborted_error(failure.origin, Error(static_cast<ErrorCode>(failure.code), message, failure.rank,
                                            static_cast<Error::Numbering>(failure.numbering)));
}

void SharedMemory::fail(const Error& reason) noexcept {
  Failure& failure = group().failure;
  std::uint32_t expected = Failure::NONE;
  if (failure.state.compare_exchange_strong(expected, Failure::CLAIMED)) {
    failure.origin = rank_;
    failure.code = static_cast<std::int32_t>(reason.code());
    failure.rank = reason.rank();
    failure.numbering = static_cast<std::int32_t>(reason.numbering());
    const std::string_view text = cut_utf8(reason.what(), failure.message.size() - 1);
    std::memcpy(failure.message.data(), text.data(), text.size());
    failure.state.store(Failure::TOLD);
  }
  ring_all();
  await_untouched();
}

// Both sides store their own flag before they look at the other's, so that one of them sees the other.
SharedMemory::Touching::Touching(const SharedMemory& memory) : memory_(memory) {
  Member& own = memory.member(memory.rank_);
  own.touches_others.store(1);
  bool somebody_has_left = false;
  for (int peer = 0; peer < memory.size(); ++peer) {
    somebody_has_left = somebody_has_left || memory.member(peer).state.load() == Member::LEFT;
  }
  const bool has_failed = memory.group().failure.state.load() != Failure::NONE;
  if (!has_failed && !somebody_has_left) return;
  own.touches_others.store(0);
  memory.check_failure();
  throw Error(ErrorCode::PEER_FAILED, "Another rank ended the group while rank " +
                                          std::to_string(memory.rank_) + " was in an operation.");
}

SharedMemory::Touching::~Touching() {
  memory_.member(memory_.rank_).touches_others.store(0, std::memory_order_release);
}

// A rank that writes is not waiting, so this takes as long as copying does, unless the rank has died or is
// stopped. Of a stopped one nobody can tell when it goes on.
void SharedMemory::await_untouched() const noexcept {
  constexpr std::chrono::seconds LONGEST{10};
  const auto end = Deadline::Clock::now() + LONGEST;
  for (int peer = 0; peer < size(); ++peer) {
    if (peer == rank_) continue;
    while (member(peer).touches_others.load() != 0 && registered_->segment().is_present(peer) &&
           Deadline::Clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  }
}

void SharedMemory::leave() noexcept {
  if (has_left_) return;
  has_left_ = true;
  member(rank_).state.store(Member::LEFT);
  ring_all();
  await_untouched();
}

}  // namespace lockstep

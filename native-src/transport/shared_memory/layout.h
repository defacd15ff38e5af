#pragma once

/// @file
/// What lies where in a segment:
///
///   Group | Member × P | Channel × 2 P² | staging × P | data of channels × 2 P² | arena × P
///
/// All up to the arenas is backed by memory from the start, so that a group that has been formed does not run
/// out of it; an arena as far as something is allocated in it.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "transport/transport.h"

namespace lockstep::shared_memory {

/// Two ranks that write to one pair of lines slow each other down: processors fetch lines in pairs.
constexpr std::size_t SEPARATION = 128;
constexpr std::uint32_t MAGIC = 0x4d53'4b4c;  // "LKSM"
constexpr std::uint32_t VERSION = 4;

static_assert(std::is_trivially_copyable_v<Signature> && sizeof(Signature) % sizeof(std::uint64_t) == 0);
constexpr std::size_t SIGNATURE_WORDS = sizeof(Signature) / sizeof(std::uint64_t);

/// Why the group has failed, written once by whoever is first.
struct alignas(SEPARATION) Failure {
  enum State : std::uint32_t { NONE = 0, CLAIMED = 1, TOLD = 2 };
  std::atomic<std::uint32_t> state;
  std::int32_t origin;
  std::int32_t code;
  std::int32_t rank;
  std::int32_t numbering;  ///< an Error::Numbering
  std::array<char, 996> message;
};

struct alignas(SEPARATION) Group {
  std::uint32_t magic;
  std::uint32_t version;
  std::uint32_t ranks;
  std::uint32_t staging_bytes;
  std::uint64_t channel_bytes;
  std::uint64_t arena_bytes;
  Failure failure;
};

/// What a rank says when it enters a collective that all ranks enter together. The first line holds all that
/// the shortest operations need.
struct alignas(64) Announcement {
  static constexpr std::size_t PAYLOAD = 464;

  std::atomic<std::uint64_t> step;  ///< of the rank, see Meeting; written last
  Signature signature;
  std::array<std::byte, PAYLOAD> payload;
};
static_assert(sizeof(Announcement) == 512);

/// The operation that a rank is in, read by peers to diagnose a long wait.
struct alignas(64) CurrentOperation {
  std::atomic<std::uint64_t> version;  ///< odd while it is being written
  std::array<std::atomic<std::uint64_t>, SIGNATURE_WORDS> words;
};

/// What a rank waits for, published only when the wait is slow. Times are nanoseconds of the steady clock,
/// which is the host's.
struct alignas(64) WaitState {
  std::atomic<std::int64_t> since;      ///< 0: it does not wait
  std::atomic<std::int64_t> last_look;  ///< when it last looked; stands still in a stopped rank
  std::atomic<std::int32_t> awaited;
  CurrentOperation doing;
};

/// Futex on which a rank sleeps, and the flag that says so.
struct alignas(SEPARATION) SleepDoorbell {
  std::atomic<std::uint32_t> sleeps;
  std::atomic<std::uint32_t> rings;  ///< the futex
};

struct alignas(SEPARATION) Member {
  enum State : std::uint32_t { ABSENT = 0, HERE = 1, LEFT = 2 };

  std::array<Announcement, 2> announcements;  ///< of even and odd steps
  alignas(SEPARATION) std::atomic<std::uint64_t> step;
  SleepDoorbell doorbell;
  std::atomic<std::uint32_t> state;
  std::atomic<std::uint32_t> touches_others;  ///< 1 while it may write into memory of other ranks
  CurrentOperation current_operation;
  WaitState patience;
  alignas(SEPARATION) SleepDoorbell message_doorbell;
  std::atomic<std::uint32_t> has_left_messages;  ///< 1: it sends and takes no more messages of channels
  std::array<std::uint64_t, 16> processors;      ///< on which the rank may run, a bit each
};

/// How far the receiver of a stream from one rank to another has read, in bytes since its beginning.
struct Channel {
  alignas(SEPARATION) std::atomic<std::uint64_t> taken;
};

/// What precedes each part of a message in a stream: one cache line, on which the receiver waits, so that
/// what it needs comes with what tells it that something has come. Before a sender publishes a frame it
/// clears `published` of the next one's place; so nothing that was there earlier is taken for a header.
struct alignas(64) StreamFrame {
  enum State : std::uint32_t { NONE = 0, PART = 1, LAP = 2 };

  std::atomic<std::uint32_t> published;  ///< a State, written last; LAP: go on at the stream's next lap
  std::uint32_t number;                  ///< as tcp::FrameHeader::number
  Signature signature;
  std::uint64_t total;   ///< bytes of the message
  std::uint64_t offset;  ///< of this part in it
};
static_assert(sizeof(StreamFrame) == 64);

/// What a channel carries: the messages of collectives, or those of the channels of a communicator, which
/// come from other threads at other times.
enum class Use : std::size_t { COLLECTIVES = 0, MESSAGES = 1 };
constexpr std::size_t USES = 2;

/// Offsets in a segment.
struct Layout {
  std::size_t ranks;
  std::size_t staging_bytes;  ///< of one buffer; a rank has STAGING_BUFFERS of them
  std::size_t channel_bytes;  ///< of data; a power of two
  std::size_t arena_bytes;

  static constexpr std::size_t STAGING_BUFFERS = 4;

  std::size_t member(std::size_t rank) const { return sizeof(Group) + rank * sizeof(Member); }
  std::size_t channel(Use use, std::size_t from, std::size_t to) const {
    return member(ranks) + ((static_cast<std::size_t>(use) * ranks + from) * ranks + to) * sizeof(Channel);
  }
  std::size_t staging(std::size_t rank) const {
    return page(member(ranks) + USES * ranks * ranks * sizeof(Channel)) +
           rank * STAGING_BUFFERS * staging_bytes;
  }
  /// Those of one sender lie together.
  std::size_t channel_data(Use use, std::size_t from, std::size_t to) const {
    return page(staging(ranks)) +
           ((from * USES + static_cast<std::size_t>(use)) * ranks + to) * page(channel_bytes);
  }
  std::size_t arena(std::size_t rank) const {
    return channel_data(Use::COLLECTIVES, ranks, 0) + rank * arena_bytes;
  }
  /// What the rank that makes the segment backs by memory; the others add their own channels.
  std::size_t fixed_bytes() const { return page(staging(ranks)); }
  /// The channels from one rank to all.
  std::size_t channels_bytes() const { return USES * ranks * page(channel_bytes); }
  std::size_t total_bytes() const { return arena(ranks); }

  static constexpr std::size_t page(std::size_t bytes) { return (bytes + 4095) / 4096 * 4096; }
};

}  // namespace lockstep::shared_memory

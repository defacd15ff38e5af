#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lockstep/error.h"

namespace lockstep::tcp {

/// What a rank tells the others when its group has failed.
struct AbortNotice {
  ErrorCode code = ErrorCode::SYSTEM;
  std::int32_t rank = Error::NO_RANK;                    ///< at fault
  std::string message;                                   ///< cut before ABORT_TEXT_LIMIT bytes are exceeded
  Error::Numbering numbering = Error::Numbering::GROUP;  ///< of rank
};

constexpr std::size_t ABORT_TEXT_LIMIT = 2048;

/// Where every rank listens; rank 0 sends it to all, also while ranks are still missing (so that a rank that
/// gives up can name them).
struct Roster {
  struct Entry {
    std::string address;  ///< numeric; empty for a rank that has not come yet, and for rank 0
    std::uint16_t port = 0;
    bool operator==(const Entry&) const = default;
  };
  std::uint64_t group = 0;  ///< identifies the group once it is complete, 0 before
  std::vector<Entry> entries;
};

/// What a rank tells the others when it has waited for long, and when one of them asks.
struct Inquiry {
  std::int32_t awaited = -1;  ///< rank, or Transport::ANY
  std::uint32_t milliseconds = 0;
  bool wants_answer = false;
  bool operator==(const Inquiry&) const = default;
};

constexpr std::size_t INQUIRY_BYTES = 12;

std::vector<std::byte> encode_inquiry(const Inquiry& inquiry);
/// @param bytes INQUIRY_BYTES of them; a rank outside the world becomes Transport::ANY
Inquiry parse_inquiry(std::span<const std::byte> bytes, int world_size);

std::vector<std::byte> encode_abort(const AbortNotice& notice);
std::vector<std::byte> encode_roster(const Roster& roster);

/// Nothing when the bytes are malformed. A rank of the group that is outside of it becomes NO_RANK.
std::optional<AbortNotice> parse_abort(std::span<const std::byte> bytes, int world_size);
std::optional<Roster> parse_roster(std::span<const std::byte> bytes, int world_size);

}  // namespace lockstep::tcp

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/crypto/sha256.h"

namespace lockstep::tcp {

/// How a connection begins. The side that accepts sends a Challenge, the side that connects answers with a
/// Hello, and is let in or refused by a Reply. The token itself never travels: each side proves that it knows
/// it by an HMAC over both nonces, so that a recorded handshake opens nothing.
constexpr std::uint16_t PROTOCOL_VERSION = 3;
constexpr std::size_t TOKEN_LIMIT = 1024;
/// Connections of a pair of ranks.
constexpr int STREAMS_LIMIT = 64;
/// The group to which a rank reports on the master's port while the job is being formed.
constexpr std::uint64_t REPORT_GROUP = 0;

using Nonce = std::array<std::byte, 16>;

struct Challenge {
  std::uint16_t version = PROTOCOL_VERSION;
  Nonce nonce{};
};

struct Hello {
  std::uint16_t version = PROTOCOL_VERSION;
  std::uint16_t port = 0;       ///< where this rank listens, when it reports
  std::uint64_t group = 0;      ///< what the connection is for: REPORT_GROUP, or the group that it joins
  std::int32_t rank = 0;        ///< in that group
  std::int32_t target = 0;      ///< the rank that it means to reach
  std::int32_t world_size = 0;  ///< of that group
  Nonce nonce{};
  std::uint16_t stream = 0;   ///< which of the connections of this pair
  std::uint16_t streams = 1;  ///< how many each pair has
};

enum class Verdict : std::uint16_t {
  ACCEPTED = 0,
  WRONG_VERSION = 1,
  WRONG_TOKEN = 2,
  WRONG_WORLD_SIZE = 3,
  BAD_RANK = 4,
  DUPLICATE_RANK = 5,
  NOT_EXPECTED = 6,
  WRONG_STREAMS = 7
};

struct Reply {
  Verdict verdict = Verdict::ACCEPTED;
  std::uint16_t version = PROTOCOL_VERSION;  ///< of the side that replies
  std::int32_t world_size = 0;               ///< that it expects
};

constexpr std::size_t CHALLENGE_BYTES = 24;
constexpr std::size_t HELLO_BYTES = 80;
constexpr std::size_t REPLY_BYTES = 48;
/// Magic and version, which every version of the protocol has in the same place.
constexpr std::size_t PREFIX_BYTES = 6;

Nonce random_nonce();
std::uint64_t random_group();

std::array<std::byte, CHALLENGE_BYTES> encode_challenge(const Challenge& challenge);
/// @param nonce the challenge's
std::array<std::byte, HELLO_BYTES> encode_hello(const Hello& hello, const Nonce& nonce,
                                                std::string_view token);
std::array<std::byte, REPLY_BYTES> encode_reply(const Reply& reply, const Hello& hello, const Nonce& nonce,
                                                std::string_view token);

/// The version in a prefix of PREFIX_BYTES or more, or nothing when the magic is wrong.
std::optional<std::uint16_t> parse_prefix(std::span<const std::byte> bytes);

/// The parsers return nothing for a wrong length, magic or version, or a code or number out of range. What
/// they return has not proved anything yet: see authentic().
std::optional<Challenge> parse_challenge(std::span<const std::byte> bytes);
std::optional<Hello> parse_hello(std::span<const std::byte> bytes);
std::optional<Reply> parse_reply(std::span<const std::byte> bytes);

/// Whether the sender of these HELLO_BYTES knows the token.
bool authentic_hello(std::span<const std::byte> bytes, const Nonce& nonce, std::string_view token);
/// Whether the sender of these REPLY_BYTES knows the token.
bool authentic_reply(std::span<const std::byte> bytes, const Hello& hello, const Nonce& nonce,
                     std::string_view token);

/// Why a connection was refused, as a clause: "it does not have this job's token".
std::string describe(Verdict verdict);

}  // namespace lockstep::tcp

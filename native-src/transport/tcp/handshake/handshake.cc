#include "transport/tcp/handshake/handshake.h"

#include <sys/random.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "lockstep/error.h"
#include "transport/tcp/wire/wire.h"

namespace lockstep::tcp {
namespace {

constexpr std::uint32_t MAGIC = 0x504B534CU;  // "LSKP" in the order of the wire
constexpr std::size_t HELLO_BODY = HELLO_BYTES - sizeof(Digest);
constexpr std::size_t REPLY_BODY = REPLY_BYTES - sizeof(Digest);
constexpr std::uint16_t LAST_VERDICT = static_cast<std::uint16_t>(Verdict::WRONG_STREAMS);

void fill_randomly(std::span<std::byte> bytes) {
  // Up to 256 bytes getrandom() gives all or fails (getrandom(2)).
  while (::getrandom(bytes.data(), bytes.size(), 0) < 0) {
    if (errno != EINTR) {
      throw Error(ErrorCode::SYSTEM, std::string("Cannot draw random bytes: ") + std::strerror(errno));
    }
  }
}

// The first word keeps a hello from being replayed as a reply, and the reverse.
Digest prove(std::string_view role, const Nonce& acceptor, const Nonce& connector,
             std::span<const std::byte> body, std::string_view token) {
  auto role_bytes = std::as_bytes(std::span(role.data(), role.size()));
  std::vector<std::byte> message(role_bytes.begin(), role_bytes.end());
  message.insert(message.end(), acceptor.begin(), acceptor.end());
  message.insert(message.end(), connector.begin(), connector.end());
  message.insert(message.end(), body.begin(), body.end());
  return hmac_sha256(token, message);
}

Digest digest_at_end(std::span<const std::byte> bytes) {
  Digest digest;
  std::memcpy(digest.data(), bytes.data() + bytes.size() - digest.size(), digest.size());
  return digest;
}

bool has_form(std::span<const std::byte> bytes, std::size_t size) {
  return bytes.size() == size && parse_prefix(bytes) == PROTOCOL_VERSION;
}

}  // namespace

Nonce random_nonce() {
  Nonce nonce;
  fill_randomly(nonce);
  return nonce;
}

std::uint64_t random_group() {
  std::array<std::byte, 8> bytes;
  std::uint64_t group = REPORT_GROUP;
  while (group == REPORT_GROUP) {
    fill_randomly(bytes);
    group = WireReader(bytes.data()).get<std::uint64_t>();
  }
  return group;
}

std::array<std::byte, CHALLENGE_BYTES> encode_challenge(const Challenge& challenge) {
  std::array<std::byte, CHALLENGE_BYTES> bytes;
  WireWriter(bytes.data()).put(MAGIC).put(challenge.version).put(std::uint16_t{0}).put_bytes(challenge.nonce);
  return bytes;
}

std::array<std::byte, HELLO_BYTES> encode_hello(const Hello& hello, const Nonce& nonce,
                                                std::string_view token) {
  std::array<std::byte, HELLO_BYTES> bytes;
  WireWriter(bytes.data())
      .put(MAGIC)
      .put(hello.version)
      .put(hello.port)
      .put(hello.group)
      .put(hello.rank)
      .put(hello.target)
      .put(hello.world_size)
      .put(hello.stream)
      .put(hello.streams)
      .put_bytes(hello.nonce);
  Digest proof = prove("hello", nonce, hello.nonce, std::span(bytes).first(HELLO_BODY), token);
  WireWriter(bytes.data() + HELLO_BODY).put_bytes(proof);
  return bytes;
}

std::array<std::byte, REPLY_BYTES> encode_reply(const Reply& reply, const Hello& hello, const Nonce& nonce,
                                                std::string_view token) {
  std::array<std::byte, REPLY_BYTES> bytes;
  WireWriter(bytes.data())
      .put(MAGIC)
      .put(reply.version)
      .put(static_cast<std::uint16_t>(reply.verdict))
      .put(reply.world_size)
      .put(std::uint32_t{0});
  Digest proof = prove("reply", nonce, hello.nonce, std::span(bytes).first(REPLY_BODY), token);
  WireWriter(bytes.data() + REPLY_BODY).put_bytes(proof);
  return bytes;
}

std::optional<std::uint16_t> parse_prefix(std::span<const std::byte> bytes) {
  if (bytes.size() < PREFIX_BYTES) return std::nullopt;
  WireReader reader(bytes.data());
  if (reader.get<std::uint32_t>() != MAGIC) return std::nullopt;
  return reader.get<std::uint16_t>();
}

std::optional<Challenge> parse_challenge(std::span<const std::byte> bytes) {
  // The version is left to the caller, which answers another version before it gives up (see connect.cc).
  auto version = parse_prefix(bytes);
  if (bytes.size() != CHALLENGE_BYTES || !version) return std::nullopt;
  Challenge challenge;
  challenge.version = *version;
  WireReader(bytes.data() + CHALLENGE_BYTES - challenge.nonce.size()).get_bytes(challenge.nonce);
  return challenge;
}

std::optional<Hello> parse_hello(std::span<const std::byte> bytes) {
  if (!has_form(bytes, HELLO_BYTES)) return std::nullopt;
  Hello hello;
  WireReader reader(bytes.data() + PREFIX_BYTES);
  hello.port = reader.get<std::uint16_t>();
  hello.group = reader.get<std::uint64_t>();
  hello.rank = reader.get<std::int32_t>();
  hello.target = reader.get<std::int32_t>();
  hello.world_size = reader.get<std::int32_t>();
  hello.stream = reader.get<std::uint16_t>();
  hello.streams = reader.get<std::uint16_t>();
  reader.get_bytes(hello.nonce);
  if (hello.streams < 1 || hello.streams > STREAMS_LIMIT || hello.stream > hello.streams) return std::nullopt;
  if (hello.world_size < 1 || hello.rank < 0 || hello.rank >= hello.world_size || hello.target < 0 ||
      hello.target >= hello.world_size || hello.rank == hello.target) {
    return std::nullopt;
  }
  return hello;
}

std::optional<Reply> parse_reply(std::span<const std::byte> bytes) {
  if (bytes.size() != REPLY_BYTES) return std::nullopt;
  auto version = parse_prefix(bytes);
  if (!version) return std::nullopt;
  WireReader reader(bytes.data() + PREFIX_BYTES);
  auto verdict = reader.get<std::uint16_t>();
  if (verdict > LAST_VERDICT) return std::nullopt;
  return Reply{static_cast<Verdict>(verdict), *version, reader.get<std::int32_t>()};
}

bool authentic_hello(std::span<const std::byte> bytes, const Nonce& nonce, std::string_view token) {
  auto hello = parse_hello(bytes);
  if (!hello) return false;
  Digest expected = prove("hello", nonce, hello->nonce, bytes.first(HELLO_BODY), token);
  return equal_in_constant_time(expected, digest_at_end(bytes));
}

bool authentic_reply(std::span<const std::byte> bytes, const Hello& hello, const Nonce& nonce,
                     std::string_view token) {
  if (bytes.size() != REPLY_BYTES) return false;
  Digest expected = prove("reply", nonce, hello.nonce, bytes.first(REPLY_BODY), token);
  return equal_in_constant_time(expected, digest_at_end(bytes));
}

std::string describe(Verdict verdict) {
  switch (verdict) {
    case Verdict::ACCEPTED:
      return "it is accepted";
    case Verdict::WRONG_VERSION:
      return "it speaks another version of the protocol";
    case Verdict::WRONG_TOKEN:
      return "it does not have this job's token";
    case Verdict::WRONG_WORLD_SIZE:
      return "it belongs to a group of another size";
    case Verdict::BAD_RANK:
      return "its rank is not one that should connect here";
    case Verdict::DUPLICATE_RANK:
      return "another process has the same rank";
    case Verdict::NOT_EXPECTED:
      return "the group that it asks for is complete";
    case Verdict::WRONG_STREAMS:
      return "it opens another number of streams to each rank";
  }
  return "its handshake is invalid";
}

}  // namespace lockstep::tcp

// The parsers of everything that arrives from the network, and the checksums and proofs they rest on.

#include <gtest/gtest.h>

#include <random>

#include "core/crypto/crc32c.h"
#include "transport/tcp/handshake/handshake.h"
#include "transport/tcp/wire/control.h"
#include "transport/tcp/wire/frame.h"

namespace lockstep::tcp {
namespace {

constexpr std::uint32_t LIMIT = 1U << 20;
constexpr int INPUTS = 10000;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::string hex(const Digest& digest) {
  std::string text;
  for (std::byte byte : digest) {
    constexpr char DIGITS[] = "0123456789abcdef";
    text += DIGITS[static_cast<unsigned>(byte) >> 4];
    text += DIGITS[static_cast<unsigned>(byte) & 15];
  }
  return text;
}

FrameHeader some_header() {
  FrameHeader header;
  header.source = 3;
  header.signature = {Operation::ALL_REDUCE, DataType::F32, ReduceOp::MAX, 0, -5, Algorithm::RING, 77, 1000};
  header.total = 4000;
  header.offset = 1024;
  header.payload = 512;
  return header;
}

std::optional<FrameHeader> parse(const FrameHeader& header, std::string& reason) {
  FrameHeaderBytes bytes;
  encode_frame(header, bytes);
  return parse_frame(bytes, LIMIT, reason);
}

TEST(Crc32c, GivesThePublishedValues) {
  EXPECT_EQ(0xE3069283U, crc32c(bytes_of("123456789")));
  EXPECT_EQ(0x8A9136AAU, crc32c(std::vector<std::byte>(32)));  // RFC 3720, B.4
  EXPECT_EQ(0U, crc32c({}));
}

TEST(Sha256, GivesThePublishedValues) {
  EXPECT_EQ("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", hex(sha256(bytes_of("abc"))));
  EXPECT_EQ("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", hex(sha256({})));
  // 56 bytes: the length needs a block of its own (FIPS 180-4, example B.2).
  EXPECT_EQ("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
            hex(sha256(bytes_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))));
  // RFC 4231, test cases 2 and 6.
  EXPECT_EQ("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            hex(hmac_sha256("Jefe", bytes_of("what do ya want for nothing?"))));
  EXPECT_EQ("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            hex(hmac_sha256(std::string(131, '\xaa'),
                            bytes_of("Test Using Larger Than Block-Size Key - Hash Key First"))));
}

TEST(FrameHeader, SurvivesTheWire) {
  std::string reason;
  EXPECT_EQ(some_header(), parse(some_header(), reason)) << reason;
}

TEST(FrameHeader, WithAnyBitFlippedIsRefused) {
  FrameHeaderBytes bytes;
  encode_frame(some_header(), bytes);
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    FrameHeaderBytes changed = bytes;
    changed[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    std::string reason;
    EXPECT_FALSE(parse_frame(changed, LIMIT, reason)) << "bit " << bit;
    EXPECT_FALSE(reason.empty());
  }
}

TEST(FrameHeader, WithImpossibleLengthsIsRefused) {
  std::string reason;
  FrameHeader header = some_header();
  header.payload = LIMIT + 1;
  header.total = 1U << 30;
  EXPECT_FALSE(parse(header, reason));
  EXPECT_NE(std::string::npos, reason.find("over the limit")) << reason;
  header = some_header();
  header.offset = ~std::uint64_t{0} - 100;  // offset + payload would wrap around
  EXPECT_FALSE(parse(header, reason));
  header = some_header();
  header.payload = 0;
  EXPECT_FALSE(parse(header, reason));
  header = some_header();
  header.source = -1;
  EXPECT_FALSE(parse(header, reason));
}

TEST(Hello, SurvivesTheWireAndProvesTheToken) {
  Nonce nonce = random_nonce();
  Hello hello{PROTOCOL_VERSION, 4711, 42, 3, 1, 8, random_nonce()};
  auto bytes = encode_hello(hello, nonce, "secret");
  auto parsed = parse_hello(bytes);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(4711, parsed->port);
  EXPECT_EQ(42U, parsed->group);
  EXPECT_EQ(3, parsed->rank);
  EXPECT_EQ(1, parsed->target);
  EXPECT_EQ(8, parsed->world_size);
  EXPECT_TRUE(authentic_hello(bytes, nonce, "secret"));
  EXPECT_FALSE(authentic_hello(bytes, nonce, "Secret"));
  EXPECT_FALSE(authentic_hello(bytes, random_nonce(), "secret")) << "a replayed hello";
}

TEST(Hello, WithAnyBitFlippedProvesNothing) {
  Nonce nonce = random_nonce();
  auto bytes = encode_hello({PROTOCOL_VERSION, 4711, 42, 3, 1, 8, random_nonce()}, nonce, "secret");
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    auto changed = bytes;
    changed[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    EXPECT_FALSE(authentic_hello(changed, nonce, "secret")) << "bit " << bit;
  }
}

TEST(Hello, WithImpossibleRanksIsRefused) {
  Nonce nonce{};
  for (auto [rank, target, size] : {std::array{8, 1, 8}, {-1, 0, 8}, {1, 9, 8}, {2, 2, 8}, {1, 0, 0}}) {
    Hello hello;
    hello.rank = rank;
    hello.target = target;
    hello.world_size = size;
    EXPECT_FALSE(parse_hello(encode_hello(hello, nonce, ""))) << rank << " " << target << " " << size;
  }
}

TEST(Reply, IsBoundToBothNonces) {
  Nonce nonce = random_nonce();
  Hello hello;
  hello.nonce = random_nonce();
  auto bytes = encode_reply({Verdict::ACCEPTED, PROTOCOL_VERSION, 4}, hello, nonce, "secret");
  EXPECT_TRUE(authentic_reply(bytes, hello, nonce, "secret"));
  EXPECT_FALSE(authentic_reply(bytes, hello, nonce, "other"));
  EXPECT_FALSE(authentic_reply(bytes, hello, random_nonce(), "secret"));
}

TEST(FrameHeaders, OfInquiriesHaveThePayloadOfOne) {
  FrameHeader header;
  header.kind = FrameKind::INQUIRY;
  for (std::uint32_t bytes : {0U, 8U, 12U, 16U}) {
    std::string reason;
    header.total = header.payload = bytes;
    EXPECT_EQ(bytes == INQUIRY_BYTES, parse(header, reason).has_value());
  }
  const Inquiry inquiry{2, 10'500, true};
  EXPECT_EQ(inquiry, parse_inquiry(encode_inquiry(inquiry), 3));
  EXPECT_EQ(-1, parse_inquiry(encode_inquiry(inquiry), 2).awaited) << "no such rank";
}

TEST(FrameHeaders, OfNoticesHaveTheWholePayloadOrNone) {
  for (FrameKind kind : {FrameKind::ABORT, FrameKind::GOODBYE, FrameKind::ROSTER}) {
    bool may_carry = kind == FrameKind::ABORT || kind == FrameKind::ROSTER;
    FrameHeader header;
    header.kind = kind;
    std::string reason;
    EXPECT_TRUE(parse(header, reason)) << reason;
    header.total = header.payload = 8;
    EXPECT_EQ(may_carry, parse(header, reason).has_value());
    header.total = 9;
    EXPECT_FALSE(parse(header, reason));
    header.offset = 1;
    EXPECT_FALSE(parse(header, reason));
  }
}

TEST(ControlPayloads, SurviveTheWire) {
  auto notice = parse_abort(encode_abort({ErrorCode::TIMEOUT, 5, std::string(5000, 'x')}), 8);
  ASSERT_TRUE(notice);
  EXPECT_EQ(ErrorCode::TIMEOUT, notice->code);
  EXPECT_EQ(5, notice->rank);
  EXPECT_EQ(std::string(ABORT_TEXT_LIMIT, 'x'), notice->message);
  EXPECT_EQ(Error::Numbering::GROUP, notice->numbering);
  // A rank of a larger group may be beyond this one.
  notice = parse_abort(encode_abort({ErrorCode::TIMEOUT, 40, "late", Error::Numbering::WHOLE}), 8);
  ASSERT_TRUE(notice);
  EXPECT_EQ(40, notice->rank);
  EXPECT_EQ(Error::Numbering::WHOLE, notice->numbering);
  // "é" has two bytes, of which the limit would keep one.
  notice =
      parse_abort(encode_abort({ErrorCode::TIMEOUT, 5, std::string(ABORT_TEXT_LIMIT - 1, 'x') + "é"}), 5);
  ASSERT_TRUE(notice);
  EXPECT_EQ(std::string(ABORT_TEXT_LIMIT - 1, 'x'), notice->message);
  EXPECT_EQ(Error::NO_RANK, notice->rank) << "ranks of this world go to 4";
  Roster roster{99, {{"", 0}, {"10.0.0.1", 1234}, {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535}}};
  auto parsed = parse_roster(encode_roster(roster), 3);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(99U, parsed->group);
  EXPECT_EQ(roster.entries, parsed->entries);
  EXPECT_FALSE(parse_roster(encode_roster(roster), 4));
}

// Valid bytes, cut, lengthened or changed in a few places, or noise throughout.
std::vector<std::byte> spoil(std::span<const std::byte> valid, std::mt19937_64& random) {
  std::vector<std::byte> bytes(valid.begin(), valid.end());
  if (random() % 4 == 0) bytes.resize(random() % (2 * valid.size()));
  std::size_t changes = random() % 8 == 0 ? bytes.size() : random() % 4;
  for (std::size_t i = 0; i < changes && !bytes.empty(); ++i) {
    bytes[random() % bytes.size()] = static_cast<std::byte>(random());
  }
  return bytes;
}

TEST(Parsers, SurviveTenThousandSpoiltInputs) {
  constexpr unsigned SEED = 20240607;
  SCOPED_TRACE("seed " + std::to_string(SEED));
  std::mt19937_64 random(SEED);
  FrameHeaderBytes frame;
  encode_frame(some_header(), frame);
  Nonce nonce = random_nonce();
  auto hello = encode_hello({PROTOCOL_VERSION, 1, 2, 3, 1, 8, random_nonce()}, nonce, "secret");
  auto abort = encode_abort({ErrorCode::SYSTEM, 1, "disk full"});
  int accepted = 0;
  for (int i = 0; i < INPUTS; ++i) {
    auto head = spoil(frame, random);
    head.resize(FRAME_HEADER_BYTES);
    std::string reason;
    auto header = parse_frame(std::span<const std::byte, FRAME_HEADER_BYTES>(head.data(), FRAME_HEADER_BYTES),
                              LIMIT, reason);
    ASSERT_EQ(header.has_value(), reason.empty());
    if (header) {
      ASSERT_LE(header->payload, LIMIT);
      ASSERT_LE(header->offset + header->payload, header->total);
      ++accepted;
    }
    auto spoilt = spoil(hello, random);
    bool same = std::equal(spoilt.begin(), spoilt.end(), hello.begin(), hello.end());
    ASSERT_EQ(same, authentic_hello(spoilt, nonce, "secret"));
    parse_challenge(spoilt);
    parse_reply(spoilt);
    auto notice = parse_abort(spoil(abort, random), 8);
    ASSERT_TRUE(!notice || notice->message.size() <= ABORT_TEXT_LIMIT);
    parse_roster(spoilt, 1 + static_cast<int>(random() % 3));
  }
  EXPECT_GT(accepted, 0) << "the inputs never reach what lies behind the checksum";
}

}  // namespace
}  // namespace lockstep::tcp

#include "transport/tcp/wire/frame.h"

#include "core/crypto/crc32c.h"
#include "transport/tcp/wire/control.h"
#include "transport/tcp/wire/wire.h"

namespace lockstep::tcp {
namespace {

constexpr std::uint32_t FRAME_MAGIC = 0x314D464CU;  // "LFM1" in the order of the wire
constexpr std::size_t CHECKSUM_AT = FRAME_HEADER_BYTES - sizeof(std::uint32_t);

constexpr std::uint8_t LAST_KIND = static_cast<std::uint8_t>(FrameKind::INQUIRY);
constexpr std::uint8_t LAST_OPERATION = static_cast<std::uint8_t>(Operation::SPLIT);
constexpr std::uint8_t LAST_TYPE = static_cast<std::uint8_t>(DataType::U8);
constexpr std::uint8_t LAST_OP = static_cast<std::uint8_t>(ReduceOp::PRODUCT);
constexpr int LAST_ALGORITHM = static_cast<int>(Algorithm::LIBRARY);
static_assert(LAST_ALGORITHM < 16, "it shares a byte with the reduction");

// What a header with a right checksum can still have wrong; empty when nothing.
std::string check_lengths(const FrameHeader& header, std::uint32_t payload_limit) {
  std::uint32_t limit = header.kind == FrameKind::DATA ? payload_limit : CONTROL_PAYLOAD_LIMIT;
  if (header.payload > limit) {
    return "a payload of " + std::to_string(header.payload) + " bytes, over the limit of " +
           std::to_string(limit);
  }
  if (header.offset > header.total || header.payload > header.total - header.offset) {
    return "a payload that reaches past the end of its message";
  }
  if (header.payload == 0 && header.total != 0) return "no payload in the middle of a message";
  if (header.source < 0) return "a negative rank as its source";
  if (header.kind == FrameKind::DATA) return {};
  if (header.total != header.payload) return "a notice in pieces";
  bool is_bare = header.kind == FrameKind::GOODBYE;
  bool is_inquiry = header.kind == FrameKind::INQUIRY;
  if ((is_bare && header.payload > 0) || (is_inquiry && header.payload != INQUIRY_BYTES))
    return "a payload that frames of its kind do not have";
  return {};
}

}  // namespace

void encode_frame(const FrameHeader& header, FrameHeaderBytes& bytes) {
  const Signature& signature = header.signature;
  WireWriter writer(bytes.data());
  writer.put(FRAME_MAGIC)
      .put(static_cast<std::uint8_t>(header.kind))
      .put(static_cast<std::uint8_t>(signature.operation))
      .put(static_cast<std::uint8_t>(signature.type))
      .put(static_cast<std::uint8_t>(static_cast<int>(signature.op) | static_cast<int>(signature.algorithm)
                                                                          << 4))
      .put(header.source)
      .put(signature.root)
      .put(signature.tag)
      .put(signature.sequence)
      .put(signature.count)
      .put(header.total)
      .put(header.offset)
      .put(header.payload)
      .put(header.number);
  std::uint32_t checksum = crc32c(std::span(bytes).first(CHECKSUM_AT));
  WireWriter(bytes.data() + CHECKSUM_AT).put(checksum);
}

std::optional<FrameHeader> parse_frame(std::span<const std::byte, FRAME_HEADER_BYTES> bytes,
                                       std::uint32_t payload_limit, std::string& reason) {
  WireReader reader(bytes.data());
  if (reader.get<std::uint32_t>() != FRAME_MAGIC) {
    reason = "a wrong first word";
    return std::nullopt;
  }
  if (WireReader(bytes.data() + CHECKSUM_AT).get<std::uint32_t>() != crc32c(bytes.first(CHECKSUM_AT))) {
    reason = "a header whose checksum is wrong";
    return std::nullopt;
  }
  auto kind = reader.get<std::uint8_t>();
  auto operation = reader.get<std::uint8_t>();
  auto type = reader.get<std::uint8_t>();
  auto op_and_algorithm = reader.get<std::uint8_t>();
  const int op = op_and_algorithm & 15;
  const int algorithm = op_and_algorithm >> 4;
  if (kind > LAST_KIND || operation > LAST_OPERATION || type > LAST_TYPE || op > LAST_OP ||
      algorithm > LAST_ALGORITHM) {
    reason = "an unknown kind, operation, type or algorithm";
    return std::nullopt;
  }
  FrameHeader header;
  header.kind = static_cast<FrameKind>(kind);
  header.signature.operation = static_cast<Operation>(operation);
  header.signature.type = static_cast<DataType>(type);
  header.signature.op = static_cast<ReduceOp>(op);
  header.signature.algorithm = static_cast<Algorithm>(algorithm);
  header.source = reader.get<std::int32_t>();
  header.signature.root = reader.get<std::int32_t>();
  header.signature.tag = reader.get<std::int32_t>();
  header.signature.sequence = reader.get<std::uint64_t>();
  header.signature.count = reader.get<std::uint64_t>();
  header.total = reader.get<std::uint64_t>();
  header.offset = reader.get<std::uint64_t>();
  header.payload = reader.get<std::uint32_t>();
  header.number = reader.get<std::uint32_t>();
  reason = check_lengths(header, payload_limit);
  return reason.empty() ? std::optional(header) : std::nullopt;
}

}  // namespace lockstep::tcp

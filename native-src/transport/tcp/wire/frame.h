#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "transport/transport.h"

namespace lockstep::tcp {

/// A message travels as one frame or more, one after another on one stream; README.md has the layout.
enum class FrameKind : std::uint8_t {
  DATA = 0,
  ABORT = 1,    ///< payload: an AbortNotice (control.h); the last frame on a connection
  GOODBYE = 2,  ///< no payload; the last frame on a connection
  ROSTER = 3,   ///< payload: a Roster (control.h); only while the group is being formed
  INQUIRY = 4   ///< payload: an Inquiry (control.h): the sender has waited for long in the operation of
                ///< this signature
};

struct FrameHeader {
  FrameKind kind = FrameKind::DATA;
  std::int32_t source = 0;    ///< rank that sends; of an ABORT, which is relayed, where it began
  Signature signature;        ///< of the message (DATA only)
  std::uint64_t total = 0;    ///< bytes of the whole message; of the payload, where it is no DATA
  std::uint64_t offset = 0;   ///< where in the message this frame's payload belongs
  std::uint32_t payload = 0;  ///< bytes that follow the header
  std::uint32_t number = 0;   ///< of the message among the collectives' from this rank to that, modulo 2^32

  bool operator==(const FrameHeader&) const = default;
};

constexpr std::size_t FRAME_HEADER_BYTES = 64;
using FrameHeaderBytes = std::array<std::byte, FRAME_HEADER_BYTES>;

/// Longest payload of the frames that are no DATA.
constexpr std::uint32_t CONTROL_PAYLOAD_LIMIT = 4U << 20;

void encode_frame(const FrameHeader& header, FrameHeaderBytes& bytes);

/// Reads a header and believes nothing: magic, checksum, codes and lengths are checked.
/// @param payload_limit longest payload of a DATA frame
/// @param reason receives what is wrong, as in "rank 2 sent a frame with …"
/// @return nothing when the bytes are no valid header
std::optional<FrameHeader> parse_frame(std::span<const std::byte, FRAME_HEADER_BYTES> bytes,
                                       std::uint32_t payload_limit, std::string& reason);

}  // namespace lockstep::tcp

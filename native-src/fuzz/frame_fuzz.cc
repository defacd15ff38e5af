// Frame headers and the payloads of control frames, as they come from an established connection.

#include <algorithm>
#include <cstdlib>

#include "core/crypto/crc32c.h"
#include "transport/tcp/wire/control.h"
#include "transport/tcp/wire/frame.h"
#include "transport/tcp/wire/wire.h"

using namespace lockstep::tcp;

namespace {

constexpr std::uint32_t LIMIT = 1U << 20;

void check_header(const FrameHeaderBytes& bytes) {
  std::string reason;
  auto header = parse_frame(bytes, LIMIT, reason);
  if (header.has_value() != reason.empty()) std::abort();
  if (!header) return;
  if (header->payload > std::max(LIMIT, CONTROL_PAYLOAD_LIMIT)) std::abort();
  if (header->offset > header->total || header->payload > header->total - header->offset) std::abort();
  FrameHeaderBytes again;
  encode_frame(*header, again);
  auto reread = parse_frame(again, LIMIT, reason);
  if (!reread || !(*reread == *header)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto input = std::as_bytes(std::span(data, size));
  FrameHeaderBytes bytes{};
  std::copy_n(input.begin(), std::min(size, bytes.size()), bytes.begin());
  check_header(bytes);
  // Behind the checksum too: chance would never find a right one.
  constexpr std::size_t CHECKSUM_AT = FRAME_HEADER_BYTES - sizeof(std::uint32_t);
  WireWriter(bytes.data() + CHECKSUM_AT).put(crc32c(std::span(bytes).first(CHECKSUM_AT)));
  check_header(bytes);

  if (input.size() >= INQUIRY_BYTES) {
    const Inquiry inquiry = parse_inquiry(input.first(INQUIRY_BYTES), 4);
    if (inquiry.awaited < -1 || inquiry.awaited > 3) std::abort();
  }
  auto notice = parse_abort(input, 4);
  if (notice && notice->message.size() > ABORT_TEXT_LIMIT) std::abort();
  for (int world_size = 1; world_size < 5; ++world_size) parse_roster(input, world_size);
  return 0;
}

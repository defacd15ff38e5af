#include "transport/tcp/wire/control_frame.h"

#include "transport/tcp/wire/wire.h"

namespace lockstep::tcp {

std::vector<std::byte> control_bytes(FrameKind kind, int source, std::span<const std::byte> payload,
                                     const Signature& signature) {
  FrameHeader header;
  header.kind = kind;
  header.source = source;
  header.signature = signature;
  header.total = payload.size();
  header.payload = static_cast<std::uint32_t>(payload.size());
  FrameHeaderBytes head;
  encode_frame(header, head);
  std::vector<std::byte> bytes(head.size() + payload.size());
  WireWriter(bytes.data()).put_bytes(head).put_bytes(payload);
  return bytes;
}

Step write_control(int fd, FrameKind kind, int source, std::span<const std::byte> payload,
                   const Deadline& deadline) {
  return write_all(fd, control_bytes(kind, source, payload), deadline);
}

Step read_control(int fd, ControlFrame& frame, const Deadline& deadline) {
  FrameHeaderBytes head;
  if (Step step = read_exactly(fd, head, deadline); step != Step::DONE) return step;
  std::string reason;
  auto header = parse_frame(head, 0, reason);
  if (!header) {
    throw Error(ErrorCode::RENDEZVOUS, "While the group was being formed, rank 0 sent " + reason + ".", 0);
  }
  frame.header = *header;
  frame.payload.resize(header->payload);
  return read_exactly(fd, frame.payload, deadline);
}

}  // namespace lockstep::tcp

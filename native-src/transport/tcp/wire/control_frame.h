#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "transport/tcp/handshake/stream.h"
#include "transport/tcp/wire/frame.h"

namespace lockstep::tcp {

struct ControlFrame {
  FrameHeader header;
  std::vector<std::byte> payload;
};

/// Header and payload of a frame that is no DATA, ready to be sent.
std::vector<std::byte> control_bytes(FrameKind kind, int source, std::span<const std::byte> payload,
                                     const Signature& signature = {});

/// Blocking write and read of such frames while a group is being formed.
Step write_control(int fd, FrameKind kind, int source, std::span<const std::byte> payload,
                   const Deadline& deadline);
/// @throws Error RENDEZVOUS when what arrives is no such frame
Step read_control(int fd, ControlFrame& frame, const Deadline& deadline);

}  // namespace lockstep::tcp

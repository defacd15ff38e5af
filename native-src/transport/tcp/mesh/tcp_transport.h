#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "transport/tcp/handshake/tcp_listener.h"
#include "transport/transport.h"

namespace lockstep {

struct TcpOptions {
  int rank = 0;
  int world_size = 1;
  /// IPv4 or IPv6 address or host name of rank 0, which listens there; the others report to it.
  std::string master_address;
  int master_port = 0;
  /// Of rank 0: an open port, instead of the address above.
  std::shared_ptr<tcp::TcpListener> listener;
  /// Equal on all ranks of a job; at most 1,024 bytes. It keeps strangers out and never travels itself.
  std::string token;
  /// Limit for forming the group. A host that vanishes is noticed within it too (by TCP keep-alive).
  double timeout_seconds = 60;

  /// Longer messages travel in several frames. 1 MiB: headers cost nothing then, and the notice of a failure
  /// need not wait long behind a frame that has begun. Equal on all ranks.
  std::uint32_t frame_payload_limit = 1U << 20;
  /// Connections to each rank, 1 to 64; the large messages of collectives take turns on them. Equal on all
  /// ranks. docs/decisions/tcp-tuning.md has the measurements.
  int streams = 2;
  /// How long a wait() polls before it sleeps, unless the wait before took much longer; transport/README.md
  /// has the measurement.
  std::chrono::microseconds spin{50};
  /// A connection that has not finished its handshake by then is refused.
  std::chrono::milliseconds handshake_limit{5000};
};

/// Joins the group and returns once this rank is connected to every other.
/// @throws Error INVALID_ARGUMENT; RENDEZVOUS (address in use or not of this host, other token, version or
///         world size, rank taken); TIMEOUT naming the ranks that have not come; SYSTEM
std::unique_ptr<Transport> connect_tcp(const TcpOptions& options);

}  // namespace lockstep

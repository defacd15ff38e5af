#pragma once

#include <chrono>
#include <span>

#include "transport/tcp/mesh/connection.h"

namespace lockstep::tcp {

/// Sends what is queued on each connection, and waits until the systems on both sides have it, at most for
/// `limit`. A socket that is closed while something unread is in it, or to which something comes later,
/// resets its connection, and what it has not delivered yet is lost (RFC 9293, section 3.6.1).
void linger(std::span<Connection* const> connections, std::chrono::milliseconds limit) noexcept;

}  // namespace lockstep::tcp

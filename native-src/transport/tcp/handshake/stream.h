#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include "core/deadline.h"
#include "transport/tcp/handshake/socket.h"

namespace lockstep::tcp {

/// How a blocking step on a non-blocking socket ended. It throws only when the deadline is cancelled
/// (CLOSED), or what `while_waiting` throws.
enum class Step { DONE, ENDED, TIMED_OUT };

/// What a blocking step calls at least every Deadline::POLL_INTERVAL; it may throw.
using WhileWaiting = std::function<void()>;
inline const WhileWaiting JUST_WAIT = [] {};

/// Blocking connect, read and write with a deadline, for handshakes, before the progress engine takes over.
/// ENDED: the connection is refused, reset or closed; errno has the reason, 0 at the end of the stream.
Step connect_stream(int fd, const Endpoint& endpoint, const Deadline& deadline,
                    const WhileWaiting& while_waiting = JUST_WAIT);
Step read_exactly(int fd, std::span<std::byte> bytes, const Deadline& deadline,
                  const WhileWaiting& while_waiting = JUST_WAIT);
Step write_all(int fd, std::span<const std::byte> bytes, const Deadline& deadline);

/// CLOSED, for a group that another thread closes while it is being formed.
void throw_if_cancelled(const Deadline& deadline);

}  // namespace lockstep::tcp

#include "transport/tcp/handshake/stream.h"

#include <poll.h>

#include <cerrno>

namespace lockstep::tcp {
namespace {

bool would_block(int number) { return number == EAGAIN || number == EWOULDBLOCK; }

Step wait_for(int fd, short events, const Deadline& deadline, const WhileWaiting& while_waiting) {
  for (;;) {
    throw_if_cancelled(deadline);
    while_waiting();
    pollfd entry{fd, events, 0};
    int ready = ::poll(&entry, 1, static_cast<int>(deadline.slice().count()));
    if (ready > 0) return Step::DONE;
    if (ready < 0 && errno != EINTR) return Step::ENDED;
    if (deadline.passed()) return Step::TIMED_OUT;
  }
}

}  // namespace

void throw_if_cancelled(const Deadline& deadline) {
  if (!deadline.cancelled()) return;
  if (deadline.interrupted()) {
    throw Error(ErrorCode::INTERRUPTED, "The thread was interrupted while it formed the group.");
  }
  throw Error(ErrorCode::CLOSED, "The group was closed while it was being formed.");
}

Step connect_stream(int fd, const Endpoint& endpoint, const Deadline& deadline,
                    const WhileWaiting& while_waiting) {
  // After EINTR the connection goes on being made, as after EINPROGRESS (connect(2)).
  if (::connect(fd, endpoint.address(), endpoint.size()) != 0 && errno != EINPROGRESS && errno != EINTR) {
    return Step::ENDED;
  }
  if (Step step = wait_for(fd, POLLOUT, deadline, while_waiting); step != Step::DONE) return step;
  int number = 0;
  socklen_t size = sizeof number;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &size) != 0) return Step::ENDED;
  errno = number;
  return number == 0 ? Step::DONE : Step::ENDED;
}

Step read_exactly(int fd, std::span<std::byte> bytes, const Deadline& deadline,
                  const WhileWaiting& while_waiting) {
  while (!bytes.empty()) {
    ssize_t got = ::recv(fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(got));
    } else if (got == 0) {
      errno = 0;
      return Step::ENDED;
    } else if (would_block(errno)) {
      if (Step step = wait_for(fd, POLLIN, deadline, while_waiting); step != Step::DONE) return step;
    } else if (errno != EINTR) {
      return Step::ENDED;
    }
  }
  return Step::DONE;
}

Step write_all(int fd, std::span<const std::byte> bytes, const Deadline& deadline) {
  while (!bytes.empty()) {
    ssize_t put = ::send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(put));
    } else if (would_block(errno)) {
      if (Step step = wait_for(fd, POLLOUT, deadline, JUST_WAIT); step != Step::DONE) return step;
    } else if (errno != EINTR) {
      return Step::ENDED;
    }
  }
  return Step::DONE;
}

}  // namespace lockstep::tcp

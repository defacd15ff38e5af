#include "transport/tcp/handshake/linger.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <thread>

#include "core/deadline.h"

namespace lockstep::tcp {
namespace {

using std::chrono::milliseconds;

// What the system holds leaves also when the socket is closed, unless something comes for it then.
constexpr milliseconds ACKNOWLEDGEMENT_LIMIT{1000};
constexpr std::chrono::microseconds FIRST_PAUSE{200};
constexpr std::chrono::microseconds LONGEST_PAUSE{10'000};

// Throws away what has arrived. @return whether the connection still stands
bool drain(int fd) {
  std::array<std::byte, 16 * 1024> scratch;
  for (;;) {
    ssize_t got = ::recv(fd, scratch.data(), scratch.size(), MSG_DONTWAIT);
    if (got == 0) return false;
    if (got < 0 && errno != EINTR) return errno == EAGAIN || errno == EWOULDBLOCK;
  }
}

bool has_unacknowledged(int fd) {
  int bytes = 0;
  return ::ioctl(fd, SIOCOUTQ, &bytes) == 0 && bytes > 0;
}

}  // namespace

void linger(std::span<Connection* const> connections, milliseconds limit) noexcept {
  auto end = Deadline::Clock::now() + limit;
  auto acknowledged_by = Deadline::Clock::now() + ACKNOWLEDGEMENT_LIMIT;
  auto pause = FIRST_PAUSE;
  for (bool pending = true; pending && Deadline::Clock::now() < end;) {
    pending = false;
    for (Connection* connection : connections) {
      if (!connection->is_open()) continue;
      bool sent = connection->flush() || connection->error() != 0;
      if (!drain(connection->fd())) {
        connection->cut();
      } else if (!sent ||
                 (Deadline::Clock::now() < acknowledged_by && has_unacknowledged(connection->fd()))) {
        pending = true;
      }
    }
    if (pending) std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, LONGEST_PAUSE);
  }
}

}  // namespace lockstep::tcp

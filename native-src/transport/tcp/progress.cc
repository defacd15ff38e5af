// The progress engine of MeshTransport: moves bytes on all connections while one operation is awaited.

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "transport/tcp/mesh_transport.h"
#include "transport/tcp/reception.h"

namespace lockstep::tcp {
namespace {

using std::chrono::milliseconds;

// While one peer is awaited, its socket is read directly; every so many reads all are looked at, so that the
// others make progress too. A read costs half of an epoll_wait() and a read.
constexpr int READS_PER_LOOK = 16;
// A rank whose operations all complete at once must still hear that the group has failed.
constexpr milliseconds LONGEST_DEAFNESS{1};

}  // namespace

void MeshTransport::drive(Post& post, const Deadline& deadline) {
  if (post.complete && Deadline::Clock::now() - last_progress_ < LONGEST_DEAFNESS) return;
  progress(milliseconds(0));
  if (!post.complete) spin(post);
  while (!post.complete) {
    check_departed(post);
    if (deadline.cancelled()) {
      throw Error(ErrorCode::CLOSED,
                  "The group was closed while rank " + std::to_string(rank_) + " waited" + doing() + ".");
    }
    if (deadline.passed()) throw timeout_error(post, deadline);
    progress(deadline.slice());
  }
}

void MeshTransport::spin(Post& post) {
  auto end = Deadline::Clock::now() + options_.spin;
  bool direct = !post.is_send && post.peer != ANY;
  for (int reads = 1; !post.complete && Deadline::Clock::now() < end; ++reads) {
    if (direct && reads % READS_PER_LOOK != 0) {
      receive_from(post.peer);
    } else {
      progress(milliseconds(0));
    }
  }
}

void MeshTransport::progress(milliseconds patience) {
  std::array<epoll_event, 64> events;
  int ready = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                           static_cast<int>(patience.count()));
  if (ready < 0 && errno != EINTR) throw system_error("wait for the connections of the group", errno);
  last_progress_ = Deadline::Clock::now();
  for (int i = 0; i < ready; ++i) {
    int peer = static_cast<int>(events[static_cast<std::size_t>(i)].data.u32);
    std::uint32_t what = events[static_cast<std::size_t>(i)].events;
    if ((what & EPOLLOUT) != 0) send_to(peer);
    if ((what & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) receive_from(peer);
  }
}

void MeshTransport::send_to(int peer) {
  Peer& to = peer_at(peer);
  if (!to.is_open()) return;
  // With an error of the socket there is nothing to wait for either: the end of the stream tells.
  bool awaits_room = !to.connection->flush() && to.connection->error() == 0;
  if (awaits_room == to.awaits_room) return;
  epoll_event event{};
  event.events = awaits_room ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.u32 = static_cast<std::uint32_t>(peer);
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, to.connection->fd(), &event) != 0) {
    throw system_error("watch the connection to rank " + std::to_string(peer), errno, peer);
  }
  to.awaits_room = awaits_room;
}

void MeshTransport::receive_from(int peer) {
  Peer& from = peer_at(peer);
  if (!from.is_open() || from.connection->receive(*this)) return;
  from.connection->cut();
  if (!from.has_left) report_loss(peer);
}

// A peer that ended because of another one's death has told so before it cut its connections, on one of which
// that may be waiting to be read; the rank that died first is the one to name.
void MeshTransport::report_loss(int lost) {
  int number = peer_at(lost).connection->error();
  for (int peer = 0; peer < size(); ++peer) {
    Peer& other = peer_at(peer);
    if (other.is_open() && !other.connection->receive(*this)) other.connection->cut();
  }
  std::string how = number == 0 ? "closed its connection without a goodbye"
                                : std::string("is lost (") + std::strerror(number) + ")";
  throw Error(ErrorCode::PEER_FAILED,
              "Rank " + std::to_string(lost) + " (" + roster_[static_cast<std::size_t>(lost)].host() + ") " +
                  how + " while rank " + std::to_string(rank_) + " waited" + doing() +
                  "; it has died or was killed, look at its output.",
              lost);
}

void MeshTransport::rethrow(const AbortNotice& notice, int source) {
  peers_know_ = true;  // the rank where it began is connected to all and has told all
  int at_fault = notice.rank == Error::NO_RANK ? source : notice.rank;
  throw Error(notice.code,
              "Rank " + std::to_string(source) + " ended the group while rank " + std::to_string(rank_) +
                  " waited" + doing() + ": " + notice.message,
              at_fault);
}

void MeshTransport::check_departed(const Post& post) const {
  if (post.peer != ANY) {
    if (!peer_at(post.peer).has_left) return;
    throw Error(ErrorCode::PEER_FAILED,
                "Rank " + std::to_string(post.peer) + " has left the group, but rank " +
                    std::to_string(rank_) + " needs it" + doing() + ".",
                post.peer);
  }
  auto present = [](const Peer& peer) { return peer.connection && !peer.has_left; };
  if (std::any_of(peers_.begin(), peers_.end(), present)) return;
  throw Error(ErrorCode::PEER_FAILED, "All other ranks have left the group, but rank " +
                                          std::to_string(rank_) + " waits" + doing() + ".");
}

Error MeshTransport::timeout_error(const Post& post, const Deadline& deadline) const {
  std::vector<int> awaited;
  for (int peer = 0; peer < size(); ++peer) {
    bool waits = post.peer == ANY ? peer != rank_ && !peer_at(peer).has_left : peer == post.peer;
    if (waits) awaited.push_back(peer);
  }
  std::string hint;
  if (auto unclaimed = awaited.size() == 1 ? mailbox_.unclaimed_from(awaited[0]) : std::nullopt) {
    hint = " It has sent something else meanwhile: " + unclaimed->describe() + ".";
  }
  return Error(ErrorCode::TIMEOUT,
               "Rank " + std::to_string(rank_) + " waited " + std::to_string(deadline.timeout_seconds()) +
                   " s in vain for " + name_ranks(awaited) + doing() + "." + hint +
                   " Check that it runs and calls the same operations, or allow more time.",
               awaited.size() == 1 ? awaited[0] : Error::NO_RANK);
}

std::string MeshTransport::doing() const {
  if (awaited_ == nullptr) return "";
  return std::string(awaited_->is_send ? " to send" : " to receive") + " in " +
         awaited_->signature.describe();
}

}  // namespace lockstep::tcp

#include "transport/tcp/mesh/tcp_wire.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "core/crypto/sha256.h"
#include "transport/tcp/handshake/linger.h"
#include "transport/tcp/mesh/mesh_transport.h"
#include "transport/tcp/wire/control_frame.h"
#include "transport/tcp/wire/wire.h"

namespace lockstep::tcp {
namespace {

using std::chrono::milliseconds;

constexpr std::uint32_t WAKE = ~std::uint32_t{0};
constexpr milliseconds GOODBYE_LIMIT{1000};

Error broken_error(int own_rank, int peer) {
  return Error(
      ErrorCode::PEER_FAILED,
      "Rank " + std::to_string(peer) + " died: its connection to rank " + std::to_string(own_rank) +
          " broke without a goodbye; look at that rank's own output. Messages with other ranks go on.",
      peer);
}

}  // namespace

/// Passes DATA on and looks for the goodbye.
class TcpWire::Tap final : public FrameReceiver {
 public:
  Tap(WireReceiver& receiver, Peer& peer) : receiver_(receiver), peer_(peer) {}

  void begin_frame(StreamId lane, const FrameHeader& header) override {
    const bool is_goodbye = header.kind == FrameKind::GOODBYE && header.payload == 0;
    if (peer_.has_left || (!is_goodbye && header.kind != FrameKind::DATA) ||
        (!is_goodbye && !header.signature.is_point_to_point())) {
      throw broken_order_error(lane.peer);
    }
    if (!is_goodbye) receiver_.begin_frame(lane, header);
  }
  std::byte* place(StreamId lane, std::uint32_t at) override { return receiver_.place(lane, at); }
  void end_frame(StreamId lane, const FrameHeader& header) override {
    if (header.kind == FrameKind::DATA) {
      receiver_.end_frame(lane, header);
    } else {
      peer_.has_left = true;
    }
  }

 private:
  WireReceiver& receiver_;
  Peer& peer_;
};

TcpWire::TcpWire(int rank, std::vector<Descriptor> connections, Origin origin)
    : rank_(rank),
      origin_(std::move(origin)),
      peers_(connections.size()),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!epoll_ || !wake_) throw system_error("open an epoll set", errno);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u32 = WAKE;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0)
    throw system_error("watch an event", errno);
  for (int peer = 0; peer < size(); ++peer) {
    Descriptor& socket = connections[static_cast<std::size_t>(peer)];
    if (!socket) continue;
    peers_[static_cast<std::size_t>(peer)].connection = std::make_unique<Connection>(
        std::move(socket), rank_, StreamId{peer, 0}, origin_.options.frame_payload_limit);
    watch(peer, EPOLL_CTL_ADD, EPOLLIN);
  }
}

void TcpWire::watch(int peer, int operation, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u32 = static_cast<std::uint32_t>(peer);
  const int fd = peers_[static_cast<std::size_t>(peer)].connection->fd();
  if (::epoll_ctl(epoll_.get(), operation, fd, &event) != 0) {
    throw system_error("watch the connection to rank " + std::to_string(peer), errno, peer);
  }
}

void TcpWire::send(Post& post) {
  Peer& to = peers_[static_cast<std::size_t>(post.peer)];
  if (!to.is_open() || to.has_left) return;
  to.connection->queue(post);
  send_on(post.peer);
}

bool TcpWire::take_back(const Post& post) {
  Peer& to = peers_[static_cast<std::size_t>(post.peer)];
  return to.is_open() && to.connection->take_back(post);
}

void TcpWire::send_on(int peer) {
  Peer& to = peers_[static_cast<std::size_t>(peer)];
  // An error of the socket ends the stream, and its end tells.
  const bool awaits_room = !to.connection->flush() && to.connection->error() == 0;
  if (awaits_room == to.awaits_room) return;
  watch(peer, EPOLL_CTL_MOD, awaits_room ? EPOLLIN | EPOLLOUT : EPOLLIN);
  to.awaits_room = awaits_room;
}

void TcpWire::receive_on(int peer, WireReceiver& receiver) {
  Peer& from = peers_[static_cast<std::size_t>(peer)];
  Tap tap(receiver, from);
  std::optional<Error> broken;
  try {
    if (from.connection->receive(tap) && !from.has_left) return;
    if (!from.has_left) broken = broken_error(rank_, peer);
  } catch (const Error& error) {
    broken = error;
  } catch (const std::exception& error) {
    broken = Error(ErrorCode::SYSTEM,
                   "Rank " + std::to_string(rank_) + " cannot take in a message of rank " +
                       std::to_string(peer) + ": " + error.what() + ".",
                   peer);
  }
  from.connection->cut();
  receiver.peer_gone(peer, broken);
}

bool TcpWire::progress(WireReceiver& receiver) {
  std::array<epoll_event, 64> events;
  const int ready = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
  bool moved = false;
  for (int i = 0; i < ready; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    if (event.data.u32 == WAKE) {
      std::uint64_t count;
      [[maybe_unused]] const ssize_t got = ::read(wake_.get(), &count, sizeof count);
      continue;
    }
    const int peer = static_cast<int>(event.data.u32);
    if (!peers_[static_cast<std::size_t>(peer)].is_open()) continue;
    moved = true;
    if ((event.events & EPOLLOUT) != 0) send_on(peer);
    if ((event.events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) receive_on(peer, receiver);
  }
  return moved;
}

void TcpWire::sleep(milliseconds limit) {
  epoll_event event;
  ::epoll_wait(epoll_.get(), &event, 1, static_cast<int>(limit.count()));
}

void TcpWire::wake() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t put = ::write(wake_.get(), &one, sizeof one);
}

std::unique_ptr<Transport> TcpWire::reform(const Reformation& reformation) {
  Mesh mesh(-1, static_cast<int>(reformation.members.size()), origin_.options.streams);
  std::vector<std::byte> name(12 + 4 * reformation.members.size());
  WireWriter writer(name.data());
  writer.put(origin_.group).put(reformation.generation);
  for (std::size_t i = 0; i < reformation.members.size(); ++i) {
    const int member = reformation.members[i];
    writer.put(static_cast<std::int32_t>(member));
    if (member == rank_) mesh.rank = static_cast<int>(i);
    mesh.roster[i] = origin_.roster[static_cast<std::size_t>(member)];
  }
  // A number that no other group has: whoever comes late for an older one is refused.
  mesh.group = WireReader(sha256(name).data()).get<std::uint64_t>() | 2;
  mesh.acceptor = origin_.acceptor;
  try {
    connect_members(mesh, reformation.deadline, [] {});
  } catch (const Error& error) {
    origin_.acceptor->finish(mesh.group);
    throw renumbered(error, reformation.members);
  }
  return std::make_unique<MeshTransport>(std::move(mesh), origin_.options);
}

void TcpWire::close() noexcept {
  if (closed_) return;
  closed_ = true;
  std::vector<Connection*> open;
  for (Peer& peer : peers_) {
    if (!peer.is_open()) continue;
    Connection& connection = *peer.connection;
    connection.drop_queued();
    if (connection.is_mid_frame()) {
      connection.cut();  // the rest of the frame is memory of the caller's
      continue;
    }
    try {
      connection.queue_control(control_bytes(FrameKind::GOODBYE, rank_, {}));
      open.push_back(&connection);
    } catch (const std::exception&) {
      connection.cut();  // no memory: the peer sees the connection break
    }
  }
  linger(open, GOODBYE_LIMIT);
  origin_.acceptor.reset();
  for (Connection* connection : open) connection->cut();
}

}  // namespace lockstep::tcp

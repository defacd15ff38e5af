#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "channel/wire.h"
#include "transport/tcp/handshake/acceptor.h"
#include "transport/tcp/mesh/connection.h"
#include "transport/tcp/mesh/tcp_transport.h"

namespace lockstep::tcp {

/// The wire over one TCP connection to each other rank.
class TcpWire final : public Wire {
 public:
  /// What reform() needs of the group that the wire belongs to.
  struct Origin {
    std::uint64_t group = 0;
    std::vector<Endpoint> roster;  ///< where each rank listens
    std::shared_ptr<Acceptor> acceptor;
    TcpOptions options;
  };

  /// @param connections by rank; none to the own one
  TcpWire(int rank, std::vector<Descriptor> connections, Origin origin);
  ~TcpWire() override { close(); }

  int rank() const override { return rank_; }
  int size() const override { return static_cast<int>(peers_.size()); }
  void send(Post& post) override;
  bool take_back(const Post& post) override;
  bool progress(WireReceiver& receiver) override;
  void sleep(std::chrono::milliseconds limit) override;
  void wake() noexcept override;
  std::unique_ptr<Transport> reform(const Reformation& reformation) override;
  void close() noexcept override;

 private:
  struct Peer {
    std::unique_ptr<Connection> connection;
    bool awaits_room = false;  ///< registered for EPOLLOUT
    bool has_left = false;

    bool is_open() const { return connection != nullptr && connection->is_open(); }
  };
  class Tap;

  void watch(int peer, int operation, std::uint32_t events);
  void send_on(int peer);
  void receive_on(int peer, WireReceiver& receiver);

  const int rank_;
  Origin origin_;
  std::vector<Peer> peers_;
  Descriptor epoll_;
  Descriptor wake_;
  bool closed_ = false;
};

}  // namespace lockstep::tcp

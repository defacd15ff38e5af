#pragma once

#include <string>
#include <vector>

#include "transport/tcp/handshake/socket.h"

namespace lockstep::tcp {

/// The open port of a rank 0 before its group is formed: so the port may be one that the system chooses, and
/// is known before the others are told.
class TcpListener {
 public:
  /// @param address of this host; @param port 0 for one that the system chooses
  /// @throws Error RENDEZVOUS, SYSTEM
  TcpListener(const std::string& address, int port);

  int port() const { return port_; }
  /// Where it listens, for messages.
  const std::string& where() const { return where_; }
  bool is_loopback_only() const { return is_loopback_only_; }
  /// Its sockets, for the group; at most once.
  std::vector<Descriptor> take() { return std::move(sockets_); }

 private:
  std::vector<Descriptor> sockets_;
  int port_ = 0;
  std::string where_;
  bool is_loopback_only_ = true;
};

}  // namespace lockstep::tcp

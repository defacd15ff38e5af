#include "transport/tcp/handshake/tcp_listener.h"

#include <algorithm>

#include "lockstep/error.h"

namespace lockstep::tcp {

TcpListener::TcpListener(const std::string& address, int port) {
  std::vector<Endpoint> endpoints = resolve(address, static_cast<std::uint16_t>(port));
  // Of several addresses some may be of another host, or IPv6 on a host without it; with none left, the first
  // tells why.
  const auto here = std::stable_partition(endpoints.begin(), endpoints.end(), is_of_this_host);
  if (here != endpoints.begin()) endpoints.erase(here, endpoints.end());
  for (const Endpoint& wanted : endpoints) {
    const Endpoint endpoint = port_ == 0 ? wanted : wanted.with_port(static_cast<std::uint16_t>(port_));
    Descriptor socket;
    try {
      socket = listen_on(endpoint);
    } catch (const Error&) {
      // The port that the system chose for the first address may be taken on another one.
      if (port != 0 || port_ == 0) throw;
      continue;
    }
    const Endpoint bound = Endpoint::local(socket.get());
    port_ = bound.port();
    where_ += (where_.empty() ? "" : ", ") + bound.text();
    is_loopback_only_ = is_loopback_only_ && bound.is_loopback();
    sockets_.push_back(std::move(socket));
  }
}

}  // namespace lockstep::tcp

#include "transport/tcp/handshake/socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <memory>

namespace lockstep::tcp {
namespace {

void set_option(int fd, int level, int option, int value, const char* name) {
  if (::setsockopt(fd, level, option, &value, sizeof value) != 0) {
    throw system_error(std::string("set ") + name + " on a socket", errno);
  }
}

Error listen_error(const Endpoint& endpoint, int number) {
  if (number == EADDRINUSE) {
    return Error(ErrorCode::RENDEZVOUS,
                 "Rank 0 cannot listen on " + endpoint.text() +
                     ": another process uses this port. Choose another MASTER_PORT, or end "
                     "that process (ss -ltnp shows it).");
  }
  if (number == EADDRNOTAVAIL) {
    return Error(ErrorCode::RENDEZVOUS,
                 "Rank 0 cannot listen on " + endpoint.text() +
                     ": this is no address of this host. Set MASTER_ADDR to an address of "
                     "the host on which rank 0 runs (hostname -I lists them).");
  }
  if (number == EACCES) {
    return Error(ErrorCode::RENDEZVOUS,
                 "Rank 0 may not listen on " + endpoint.text() +
                     ": ports under 1024 need privileges. Choose a higher MASTER_PORT.");
  }
  return system_error("listen on " + endpoint.text(), number);
}

// @return getaddrinfo()'s status
int look_up(const std::string& host, std::uint16_t port, int flags, std::vector<Endpoint>& endpoints) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* found = nullptr;
  int status = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (status != 0) return status;
  std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(found, &::freeaddrinfo);
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    if (entry->ai_family != AF_INET && entry->ai_family != AF_INET6) continue;
    Endpoint endpoint(entry->ai_addr, entry->ai_addrlen);
    if (std::find(endpoints.begin(), endpoints.end(), endpoint) == endpoints.end())
      endpoints.push_back(endpoint);
  }
  return 0;
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

void Descriptor::reset() noexcept {
  // Linux frees the descriptor even when close() reports EINTR, so it is never called twice (close(2)).
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

int Descriptor::release() noexcept {
  int fd = fd_;
  fd_ = -1;
  return fd;
}

Endpoint::Endpoint(const sockaddr* address, socklen_t size) : size_(size) {
  std::memcpy(&storage_, address, std::min<std::size_t>(size, sizeof storage_));
}

Endpoint Endpoint::local(int fd) {
  Endpoint endpoint;
  endpoint.size_ = sizeof endpoint.storage_;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&endpoint.storage_), &endpoint.size_) != 0) return {};
  return endpoint;
}

Endpoint Endpoint::remote(int fd) {
  Endpoint endpoint;
  endpoint.size_ = sizeof endpoint.storage_;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&endpoint.storage_), &endpoint.size_) != 0) return {};
  return endpoint;
}

std::optional<Endpoint> Endpoint::numeric(const std::string& address, std::uint16_t port) {
  std::vector<Endpoint> endpoints;
  if (look_up(address, port, AI_NUMERICHOST, endpoints) != 0 || endpoints.empty()) return std::nullopt;
  return endpoints.front();
}

std::string Endpoint::host() const {
  std::array<char, NI_MAXHOST> host;
  if (::getnameinfo(address(), size_, host.data(), host.size(), nullptr, 0, NI_NUMERICHOST) != 0)
    return "unknown";
  return host.data();
}

std::uint16_t Endpoint::port() const {
  if (family() == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_port);
  if (family() == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in*>(&storage_)->sin_port);
  return 0;
}

Endpoint Endpoint::with_port(std::uint16_t port) const {
  Endpoint changed = *this;
  if (family() == AF_INET6) {
    reinterpret_cast<sockaddr_in6*>(&changed.storage_)->sin6_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in*>(&changed.storage_)->sin_port = htons(port);
  }
  return changed;
}

Endpoint Endpoint::with_scope_of(const Endpoint& other) const {
  Endpoint changed = *this;
  auto* own = reinterpret_cast<sockaddr_in6*>(&changed.storage_);
  if (family() == AF_INET6 && other.family() == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&own->sin6_addr))
    own->sin6_scope_id = reinterpret_cast<const sockaddr_in6*>(&other.storage_)->sin6_scope_id;
  return changed;
}

bool Endpoint::is_loopback() const {
  if (family() == AF_INET6)
    return IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_addr);
  return family() == AF_INET && host().starts_with("127.");
}

std::string Endpoint::text() const {
  std::string name = host();
  if (family() == AF_INET6) name.append("]").insert(0, 1, '[');
  return name.append(":").append(std::to_string(port()));
}

Error system_error(const std::string& what, int number, int rank) {
  return Error(ErrorCode::SYSTEM, "Cannot " + what + ": " + std::strerror(number) + ".", rank);
}

std::vector<Endpoint> resolve(const std::string& host, std::uint16_t port) {
  std::vector<Endpoint> endpoints;
  if (int status = look_up(host, port, 0, endpoints); status != 0) {
    std::string reason = status == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(status);
    throw Error(ErrorCode::RENDEZVOUS, "Cannot resolve the master address '" + host + "': " + reason +
                                           ". Set MASTER_ADDR to a name or address of rank 0's host.");
  }
  return endpoints;
}

Descriptor open_stream(int family) {
  Descriptor socket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return socket;
  // Without it the second of two small writes waits for the other side's delayed acknowledgement, 40 ms.
  // Accepted sockets inherit it from their listener.
  set_option(socket.get(), IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY");
  // Also on connecting sockets: when the system gives one of them the master's port, rank 0 can listen all
  // the same.
  set_option(socket.get(), SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR");
  return socket;
}

Descriptor listen_on(const Endpoint& endpoint) {
  Descriptor socket = open_stream(endpoint.family());
  if (!socket) throw listen_error(endpoint, errno);
  if (endpoint.family() == AF_INET6) set_option(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1, "IPV6_V6ONLY");
  if (::bind(socket.get(), endpoint.address(), endpoint.size()) != 0) throw listen_error(endpoint, errno);
  if (::listen(socket.get(), SOMAXCONN) != 0) throw listen_error(endpoint, errno);
  return socket;
}

bool is_of_this_host(const Endpoint& endpoint) {
  Descriptor socket = open_stream(endpoint.family());
  if (!socket) return false;
  Endpoint any_port = endpoint.with_port(0);
  return ::bind(socket.get(), any_port.address(), any_port.size()) == 0;
}

void keep_alive(int fd, double timeout_seconds) {
  // Keep-alive alone, and no TCP_USER_TIMEOUT: that one also kills the connection to a rank that lives but
  // computes for longer than the timeout before it reads (RFC 5482, section 3.1; Linux, tcp_probe_timer).
  // First probe after a quarter of the timeout, then three, an eighth apart: 5/8 of it in all. The system
  // counts in whole seconds.
  int idle = std::clamp(static_cast<int>(std::floor(timeout_seconds / 4)), 1, 7200);
  int interval = std::clamp(static_cast<int>(std::floor(timeout_seconds / 8)), 1, 75);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1, "SO_KEEPALIVE");
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, idle, "TCP_KEEPIDLE");
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, interval, "TCP_KEEPINTVL");
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 3, "TCP_KEEPCNT");
}

bool has_ended(int fd) {
  char byte;
  ssize_t got;
  do {
    got = ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  } while (got < 0 && errno == EINTR);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
}

}  // namespace lockstep::tcp

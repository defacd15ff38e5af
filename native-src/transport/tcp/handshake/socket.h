#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lockstep/error.h"

namespace lockstep::tcp {

/// A file descriptor with one owner.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void reset() noexcept;
  int release() noexcept;

 private:
  int fd_ = -1;
};

/// An IPv4 or IPv6 address and port.
class Endpoint {
 public:
  Endpoint() = default;
  Endpoint(const sockaddr* address, socklen_t size);

  /// This side's and the other side's of a connected socket; an empty endpoint when the socket is gone.
  static Endpoint local(int fd);
  static Endpoint remote(int fd);

  /// Of a numeric address; nothing for a name, which is not looked up.
  static std::optional<Endpoint> numeric(const std::string& address, std::uint16_t port);

  const sockaddr* address() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const { return size_; }
  int family() const { return storage_.ss_family; }
  std::string host() const;
  std::uint16_t port() const;
  Endpoint with_port(std::uint16_t port) const;
  /// A link-local IPv6 address with the interface of `other`; any other address unchanged.
  Endpoint with_scope_of(const Endpoint& other) const;
  bool is_loopback() const;
  /// "127.0.0.1:29500", "[::1]:29500"
  std::string text() const;
  bool operator==(const Endpoint& other) const { return text() == other.text(); }

 private:
  sockaddr_storage storage_{};
  socklen_t size_ = 0;
};

/// Error SYSTEM: "Cannot <what>: <errno's text>."
Error system_error(const std::string& what, int number, int rank = Error::NO_RANK);

/// All stream endpoints that a name or numeric address stands for, each once.
/// @throws Error RENDEZVOUS when it stands for none
std::vector<Endpoint> resolve(const std::string& host, std::uint16_t port);

/// A non-blocking listening socket. Port 0 lets the system choose.
/// @throws Error RENDEZVOUS when the address is in use or not of this host, SYSTEM otherwise
Descriptor listen_on(const Endpoint& endpoint);

/// Whether a socket can be bound to the address (the port is not looked at).
bool is_of_this_host(const Endpoint& endpoint);

/// A non-blocking stream socket without Nagle's delay; empty, with errno set, when there is none to be had (a
/// host without IPv6, say).
Descriptor open_stream(int family);

/// Asks for keep-alive probes such that a host that has vanished is noticed within `timeout_seconds`.
void keep_alive(int fd, double timeout_seconds);

/// Whether the other side has closed or reset the connection and nothing is left to read.
bool has_ended(int fd);

}  // namespace lockstep::tcp

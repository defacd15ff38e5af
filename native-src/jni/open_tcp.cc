#include <memory>
#include <string>

#include "collective/backend/transport_backend.h"
#include "core/crypto/sha256.h"
#include "jni/boundary.h"
#include "jni/communicators.h"
#include "lockstep/communicator.h"
#include "transport/tcp/mesh/tcp_transport.h"

namespace lockstep {
namespace {

/// The job's token as a name that shows nothing of it.
std::string label_of(const std::string& token) {
  constexpr char DIGITS[] = "0123456789abcdef";
  const tcp::Digest digest = tcp::hmac_sha256(token, {});
  std::string text;
  for (std::size_t i = 0; i < 6; ++i) {
    text += DIGITS[std::to_integer<unsigned>(digest[i]) >> 4];
    text += DIGITS[std::to_integer<unsigned>(digest[i]) & 15];
  }
  return text;
}

// Never destroyed, like communicators().
Registry<std::shared_ptr<tcp::TcpListener>>& listeners() {
  static auto& instance = *new Registry<std::shared_ptr<tcp::TcpListener>>("listener");
  return instance;
}

std::int64_t open(TcpOptions options, const char* token, double timeout_seconds,
                  std::int32_t memory_sharing) {
  options.token = token == nullptr ? "" : token;
  options.timeout_seconds = timeout_seconds;
  const MemorySharing sharing = memory_sharing_from(memory_sharing);
  return open_sharing(make_backend(connect_tcp(options)), timeout_seconds, sharing, false,
                      label_of(options.token));
}

}  // namespace

std::int64_t open_listener(const char* address, std::int32_t port) {
  return at_boundary([&] {
    if (address == nullptr || port < 0 || port > 65535)
      throw Error(ErrorCode::INVALID_ARGUMENT, "A listener needs an address, and a port from 0 to 65535.");
    return listeners().insert(std::make_shared<std::shared_ptr<tcp::TcpListener>>(
        std::make_shared<tcp::TcpListener>(address, port)));
  });
}

std::int32_t listener_port(std::int64_t listener) {
  return at_boundary([&] { return (*listeners().find(listener))->port(); });
}

void close_listener(std::int64_t listener) {
  at_boundary([&] { listeners().remove(listener, [](auto&) {}); });
}

std::int64_t open_tcp_at(std::int64_t listener, std::int32_t world_size, const char* token,
                         double timeout_seconds, std::int32_t memory_sharing) {
  return at_boundary([&] {
    check_world(0, world_size);
    TcpOptions options;
    options.world_size = world_size;
    options.listener = *listeners().find(listener);
    options.master_address = "0.0.0.0";
    options.master_port = options.listener->port();
    return open(options, token, timeout_seconds, memory_sharing);
  });
}

std::int64_t open_tcp(std::int32_t rank, std::int32_t world_size, const char* master_address,
                      std::int32_t master_port, const char* token, double timeout_seconds,
                      std::int32_t memory_sharing) {
  return at_boundary([&] {
    check_world(rank, world_size);
    TcpOptions options;
    options.rank = rank;
    options.world_size = world_size;
    options.master_address = master_address == nullptr ? "" : master_address;
    options.master_port = master_port;
    return open(options, token, timeout_seconds, memory_sharing);
  });
}

}  // namespace lockstep

#include "collective/communicator/message_wire.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string>

#include "collective/backend/gather_values.h"
#include "core/deadline.h"
#include "transport/tcp/handshake/handshake.h"
#include "transport/tcp/handshake/rendezvous.h"
#include "transport/tcp/mesh/tcp_wire.h"

namespace lockstep {
namespace {

/// What a rank tells the others before they connect.
struct Address {
  std::array<char, 256> host{};
  std::int32_t port = 0;  ///< of rank 0's listener; 0 where it has none
  std::array<char, 32> secret{};
  std::array<char, 400> obstacle{};
};

template <std::size_t N>
void put(std::array<char, N>& field, const std::string& text) {
  std::memcpy(field.data(), text.data(), std::min(text.size(), N - 1));
}

std::string random_secret() {
  constexpr char DIGITS[] = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : tcp::random_nonce()) text += DIGITS[std::to_integer<unsigned>(byte) >> 4];
  for (const std::byte byte : tcp::random_nonce()) text += DIGITS[std::to_integer<unsigned>(byte) & 15];
  return text.substr(0, 31);
}

}  // namespace

std::unique_ptr<Wire> message_wire(Backend& backend, double timeout_seconds) {
  if (backend.size() == 1) return nullptr;
  if (std::unique_ptr<Wire> own = backend.take_wire()) return own;
  const std::atomic<bool> never{false};
  const Deadline deadline(Deadline::Seconds(checked_timeout(timeout_seconds)), never);
  Address address;
  ::gethostname(address.host.data(), address.host.size() - 1);
  TcpOptions options;
  if (backend.rank() == 0) {
    try {
      options.listener = std::make_shared<tcp::TcpListener>("0.0.0.0", 0);
      address.port = options.listener->port();
      put(address.secret, random_secret());
    } catch (const Error& error) {
      put(address.obstacle, error.what());
    }
  }
  const std::vector<Address> all = gather_values(backend, address, deadline);
  if (all.front().port == 0) throw Error(ErrorCode::SYSTEM, all.front().obstacle.data(), 0);
  const bool is_one_host =
      std::ranges::all_of(all, [&](const Address& other) { return other.host == all.front().host; });
  options.rank = backend.rank();
  options.world_size = backend.size();
  options.master_address = is_one_host ? "127.0.0.1" : all.front().host.data();
  options.master_port = all.front().port;
  options.token = all.front().secret.data();
  options.timeout_seconds = timeout_seconds;
  options.streams = 1;
  tcp::Mesh mesh = tcp::form_group(options, deadline);
  return std::make_unique<tcp::TcpWire>(
      mesh.rank, std::move(mesh.channels),
      tcp::TcpWire::Origin{mesh.group, std::move(mesh.roster), std::move(mesh.acceptor), options});
}

}  // namespace lockstep

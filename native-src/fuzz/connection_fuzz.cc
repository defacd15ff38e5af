// Frames of any kind and order with right checksums, as they come from a peer that has lost its wits, through
// a transport that has receives posted before and behind them.

#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <cstdlib>

#include "transport/tcp/mesh/mesh_transport.h"
#include "transport/tcp/wire/control_frame.h"

using namespace lockstep;
using namespace lockstep::tcp;

namespace {

constexpr std::size_t RECORD_BYTES = 10;
// All fits into a socket's buffer, so that one thread can write first and read then.
constexpr std::size_t RECORDS = 16;
constexpr std::uint32_t LARGEST = 4096;

void require(bool condition) {
  if (!condition) std::abort();
}

/// A pair of connected sockets, the first with its transport, the second by hand.
std::pair<Descriptor, Descriptor> connected_pair() {
  static const Descriptor listener = listen_on(resolve("127.0.0.1", 0).front());
  Endpoint endpoint = Endpoint::local(listener.get());
  Descriptor ours(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  require(::connect(ours.get(), endpoint.address(), endpoint.size()) == 0);
  Descriptor accepted(::accept(listener.get(), nullptr, nullptr));
  require(static_cast<bool>(accepted));
  // A reset at the end, or millions of inputs would use up all ports.
  linger at_once{1, 0};
  require(::setsockopt(ours.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
  return {std::move(accepted), std::move(ours)};
}

std::vector<std::byte> frame_of(const std::uint8_t* record) {
  FrameHeader header;
  header.kind = static_cast<FrameKind>(record[0] % 5);
  header.source = record[1] % 8 == 7 ? 0 : 1;
  header.signature.operation = record[2] % 2 == 0 ? Operation::SEND : Operation::BROADCAST;
  header.signature.sequence = record[2] % 2 == 0 ? 0 : record[2] / 2 % 4;
  header.signature.tag = record[3] % 3;
  auto two_bytes = [&](int at) { return (record[at] | record[at + 1] << 8) % (LARGEST + 1U); };
  header.payload = two_bytes(4);
  header.total = header.payload + two_bytes(6);
  header.offset = two_bytes(8);
  FrameHeaderBytes head;
  encode_frame(header, head);
  std::vector<std::byte> bytes(head.begin(), head.end());
  bytes.resize(bytes.size() + header.payload);
  return bytes;
}

void receive(MeshTransport& transport, const std::vector<Transport::Ticket>& tickets) {
  static const std::atomic<bool> never{false};
  for (Transport::Ticket ticket : tickets)
    transport.wait(ticket, Deadline(std::chrono::duration<double>(5), never));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto [socket, peer] = connected_pair();
  std::vector<std::byte> stream;
  for (std::size_t i = 0; i < RECORDS && (i + 1) * RECORD_BYTES <= size; ++i) {
    auto frame = frame_of(data + i * RECORD_BYTES);
    stream.insert(stream.end(), frame.begin(), frame.end());
  }
  require(::send(peer.get(), stream.data(), stream.size(), 0) == static_cast<ssize_t>(stream.size()));
  require(::shutdown(peer.get(), SHUT_WR) == 0);

  Mesh mesh;
  mesh.roster.resize(2);
  mesh.connections.resize(2);
  mesh.connections[1] = std::move(socket);
  TcpOptions options;
  options.world_size = 2;
  options.spin = std::chrono::microseconds(0);
  MeshTransport transport(std::move(mesh), options);
  // Of exact size each, so that a sanitizer sees a byte too much.
  std::vector<std::vector<std::byte>> memory(4, std::vector<std::byte>(size > 0 ? data[0] * 16U : 64U));
  std::vector<Transport::Ticket> tickets;
  for (std::size_t i = 0; i < memory.size(); ++i) {
    Signature signature;
    signature.operation = i % 2 == 0 ? Operation::SEND : Operation::BROADCAST;
    signature.sequence = i % 2 == 0 ? 0 : i;
    signature.tag = static_cast<std::int32_t>(i % 3);
    tickets.push_back(transport.post_receive(1, signature, memory[i].data(), memory[i].size()));
  }
  try {
    receive(transport, tickets);
  } catch (const Error&) {
    // Every stream of frames ends in a result or in an Error; anything else is a finding.
  }
  return 0;
}

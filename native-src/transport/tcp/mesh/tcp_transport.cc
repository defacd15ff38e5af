#include "transport/tcp/mesh/tcp_transport.h"

#include <atomic>

#include "transport/tcp/mesh/mesh_transport.h"

namespace lockstep {
namespace {

// The roster with all addresses is one control frame (CONTROL_PAYLOAD_LIMIT).
constexpr int WORLD_SIZE_LIMIT = 65536;

void require(bool condition, const std::string& message) {
  if (!condition) throw Error(ErrorCode::INVALID_ARGUMENT, message);
}

TcpOptions checked(TcpOptions options) {
  require(options.world_size >= 1 && options.world_size <= WORLD_SIZE_LIMIT,
          "The world size is " + std::to_string(options.world_size) + "; it must be between 1 and " +
              std::to_string(WORLD_SIZE_LIMIT) + ".");
  require(options.rank >= 0 && options.rank < options.world_size,
          "Rank " + std::to_string(options.rank) + " is not within a world of " +
              std::to_string(options.world_size) + " ranks, which are numbered from 0.");
  require(!options.master_address.empty(), "The master address is empty; set MASTER_ADDR to rank 0's host.");
  require(options.master_port >= 1 && options.master_port <= 65535,
          "The master port is " + std::to_string(options.master_port) + "; it must be between 1 and 65535.");
  require(options.token.size() <= tcp::TOKEN_LIMIT,
          "The token is longer than " + std::to_string(tcp::TOKEN_LIMIT) + " bytes.");
  require(options.streams >= 1 && options.streams <= tcp::STREAMS_LIMIT,
          "The number of streams to each rank is " + std::to_string(options.streams) +
              "; it must be between 1 and " + std::to_string(tcp::STREAMS_LIMIT) + ".");
  require(options.frame_payload_limit > 0, "The limit of a frame's payload is 0; it must be positive.");
  options.timeout_seconds = checked_timeout(options.timeout_seconds);
  return options;
}

}  // namespace

std::unique_ptr<Transport> connect_tcp(const TcpOptions& given) {
  const TcpOptions options = checked(given);
  tcp::Mesh mesh;
  if (options.world_size == 1) {
    mesh.roster.resize(1);
  } else {
    std::atomic<bool> never_cancelled{false};
    Deadline deadline(std::chrono::duration<double>(options.timeout_seconds), never_cancelled);
    mesh = tcp::form_group(options, deadline);
  }
  return std::make_unique<tcp::MeshTransport>(std::move(mesh), options);
}

}  // namespace lockstep

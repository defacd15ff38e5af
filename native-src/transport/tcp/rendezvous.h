#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/deadline.h"
#include "transport/tcp/gatekeeper.h"
#include "transport/tcp/stream.h"
#include "transport/tcp/tcp_transport.h"

namespace lockstep::tcp {

/// A full mesh of connections between the ranks of one group.
struct Mesh {
  int rank = 0;
  std::uint64_t group = 0;
  std::vector<Endpoint> roster;         ///< where each rank listens (own entry unused)
  std::vector<Descriptor> connections;  ///< to each rank (own entry empty)
  std::shared_ptr<Gatekeeper> gatekeeper;

  int size() const { return static_cast<int>(roster.size()); }
};

/// Rank 0 listens, the others report to it, and each pair is connected.
Mesh form_group(const TcpOptions& options, const Deadline& deadline);

/// Makes the connections that a mesh still lacks: to lower ranks by dialling, from higher ranks by waiting
/// for them. After an error the caller gives up the group (Gatekeeper::finish).
void connect_members(Mesh& mesh, const Deadline& deadline, const WhileWaiting& while_waiting);

}  // namespace lockstep::tcp

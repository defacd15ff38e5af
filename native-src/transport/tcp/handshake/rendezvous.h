#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/deadline.h"
#include "transport/tcp/handshake/acceptor.h"
#include "transport/tcp/handshake/stream.h"
#include "transport/tcp/mesh/tcp_transport.h"

namespace lockstep::tcp {

/// A full mesh of connections (one stream or more a pair) between the ranks of one group.
struct Mesh {
  int rank = 0;
  std::uint64_t group = 0;
  int streams = 1;                      ///< connections to each rank, for collectives
  std::vector<Endpoint> roster;         ///< where each rank listens (own entry unused)
  std::vector<Descriptor> connections;  ///< to each rank, its streams one after another (own entries empty)
  std::vector<Descriptor> channels;     ///< one more to each rank, for the messages of channels
  std::shared_ptr<Acceptor> acceptor;

  Mesh() = default;
  Mesh(int own_rank, int size, int streams_each)
      : rank(own_rank),
        streams(streams_each),
        roster(static_cast<std::size_t>(size)),
        connections(static_cast<std::size_t>(size * streams_each)),
        channels(static_cast<std::size_t>(size)) {}

  /// @param stream below `streams`, or `streams` for that of the channels
  Descriptor& connection(int peer, int stream = 0) {
    return stream == streams ? channels[static_cast<std::size_t>(peer)]
                             : connections[static_cast<std::size_t>(peer * streams + stream)];
  }
  const Descriptor& connection(int peer, int stream = 0) const {
    return const_cast<Mesh&>(*this).connection(peer, stream);
  }
  int size() const { return static_cast<int>(roster.size()); }
};

/// Rank 0 listens, the others report to it, and each pair is connected.
Mesh form_group(const TcpOptions& options, const Deadline& deadline);

/// Makes the connections that a mesh still lacks: to lower ranks by dialling, from higher ranks by waiting
/// for them. After an error the caller gives up the group (Acceptor::finish).
void connect_members(Mesh& mesh, const Deadline& deadline, const WhileWaiting& while_waiting);

}  // namespace lockstep::tcp

#pragma once

#include <mpi.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "backends/mpi/packet.h"
#include "backends/mpi/session.h"
#include "collective/communicator/request.h"
#include "collective/hosts/split_key.h"

namespace lockstep::mpi {

/// What SCATTER and GATHER tell all ranks before data moves: the first rank whose length is not the root's.
struct Verdict {
  std::int32_t rank = -1;
  std::int64_t expected = 0;
  std::int64_t actual = 0;
};

/// Memory of this library's own that MPI reads and writes. It belongs to the group and not to a stack frame,
/// since an operation that failed may still use it while wait reports are collected.
struct Buffers {
  Packet own;
  Packet all;
  std::int64_t length = 0;
  std::vector<std::int64_t> lengths;
  std::vector<int> counts;
  std::vector<int> displacements;
  Verdict verdict;
  SplitKey choice;
  std::vector<SplitKey> choices;
};

/// One operation on its way.
struct Call {
  Session& session;
  MPI_Comm comm;
  int rank;
  int size;
  std::size_t chunk_bytes;  ///< most that one MPI call is given where an operation can be cut
  const Request& request;
  const Pending& pending;
  const Deadline& deadline;
  Buffers& buffers;

  const Signature& signature() const { return pending.signature; }

  /// Starts an operation of MPI and waits for its end.
  /// @param name of the function, for messages; @param post calls it and returns its code
  void run(const char* name, const std::function<int(MPI_Request*)>& post) const;
};

/// Makes all ranks agree on the operation. @throws Error MISMATCH, on all ranks alike, before data has moved
void agree(const Call& call);

/// Does a collective on which the ranks have agreed. Of a SPLIT it does the exchange of choices (color and
/// key: the request's root_or_peer and tag), which buffers.choices has then.
void run_collective(const Call& call);

/// @throws Error INVALID_ARGUMENT where an operation that MPI cannot be given in parts has more elements than
/// its calls take. Before anything is agreed on or moved, so that the group stays whole; ranks that know of
/// all lengths throw alike.
void check_counts(const Request& request, int ranks, int rank);

}  // namespace lockstep::mpi

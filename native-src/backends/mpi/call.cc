#include "backends/mpi/call.h"

#include <cstring>
#include <mutex>

#include "backends/mpi/mpi_call.h"
#include "core/data_type.h"

namespace lockstep::mpi {
namespace {

/// SCATTER and GATHER may be uneven without all ranks knowing, so only the root can tell whether lengths are
/// right.
void agree_on_lengths(const Call& call) {
  const Request& request = call.request;
  Buffers& buffers = call.buffers;
  const int root = call.signature().root;
  const auto expected = [&](int rank) {
    return request.counts.empty() ? static_cast<std::int64_t>(request.count)
                                  : request.counts[static_cast<std::size_t>(rank)];
  };
  buffers.length = static_cast<std::int64_t>(request.count);
  buffers.lengths.resize(static_cast<std::size_t>(call.size));
  call.run("MPI_Igather", [&](MPI_Request* pending) {
    return MPI_Igather(&buffers.length, 1, MPI_INT64_T, buffers.lengths.data(), 1, MPI_INT64_T, root,
                       call.comm, pending);
  });
  buffers.verdict = {};
  for (int rank = 0; call.rank == root && rank < call.size && buffers.verdict.rank < 0; ++rank) {
    const std::int64_t actual = buffers.lengths[static_cast<std::size_t>(rank)];
    if (actual != expected(rank)) buffers.verdict = {rank, expected(rank), actual};
  }
  call.run("MPI_Ibcast", [&](MPI_Request* pending) {
    return MPI_Ibcast(&buffers.verdict, sizeof(Verdict), MPI_BYTE, root, call.comm, pending);
  });
  const Verdict& verdict = buffers.verdict;
  if (verdict.rank < 0) return;
  Signature roots = call.signature();
  Signature theirs = call.signature();
  roots.count = static_cast<std::uint64_t>(verdict.expected);
  theirs.count = static_cast<std::uint64_t>(verdict.actual);
  if (call.rank == verdict.rank) throw mismatch_error(call.rank, theirs, root, roots);
  throw mismatch_error(root, roots, verdict.rank, theirs);
}

}  // namespace

void Call::run(const char* name, const std::function<int(MPI_Request*)>& post) const {
  MPI_Request request = MPI_REQUEST_NULL;
  {
    std::lock_guard lock(session.mutex());
    session.require_usable();
    check(post(&request), name);
  }
  session.wait_until(pending, deadline, [&] {
    int done = 0;
    check(MPI_Test(&request, &done, MPI_STATUS_IGNORE), name);
    return done != 0;
  });
}

void agree(const Call& call) {
  const Signature& signature = call.signature();
  Buffers& buffers = call.buffers;
  const bool only_root_knows =
      signature.operation == Operation::SCATTER || signature.operation == Operation::GATHER;
  buffers.own.first = {call.rank, only_root_knows ? 0 : hash_of(call.request.counts), signature};
  const std::size_t bytes = Packet::carries(signature) ? signature.count * size_of(signature.type) : 0;
  if (bytes > 0) std::memcpy(buffers.own.payload, call.request.input, bytes);
  call.run("MPI_Iallreduce", [&](MPI_Request* pending) {
    const PacketType& packet = call.session.packet_type();
    return MPI_Iallreduce(&buffers.own, &buffers.all, 1, packet.type(), packet.combine(), call.comm, pending);
  });
  if (buffers.all.disagree) throw disagreement(buffers.own.first, buffers.all);
  if (bytes > 0) std::memcpy(call.request.output, buffers.all.payload, bytes);
  if (only_root_knows) agree_on_lengths(call);
}

}  // namespace lockstep::mpi

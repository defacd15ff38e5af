#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>

#include "backends/mpi/call.h"
#include "core/data_type.h"
#include "core/reduce.h"

namespace lockstep::mpi {
namespace {

/// MPI counts in int; check_counts() has looked before.
int mpi_count(const Call&, std::size_t count) { return static_cast<int>(count); }

MPI_Datatype mpi_type(const Call& call) { return call.session.datatypes().type(call.request.type); }

MPI_Op mpi_op(const Call& call) { return call.session.datatypes().op(call.request.op); }

/// Each rank's share and where it begins, in elements, as the forms with a v take them.
void lay_out_shares(const Call& call) {
  Buffers& buffers = call.buffers;
  buffers.counts.clear();
  buffers.displacements.clear();
  std::size_t offset = 0;
  for (std::size_t rank = 0; rank < static_cast<std::size_t>(call.size); ++rank) {
    const std::size_t count = call.request.counts.empty()
                                  ? call.request.count
                                  : static_cast<std::size_t>(call.request.counts[rank]);
    buffers.displacements.push_back(mpi_count(call, offset));
    buffers.counts.push_back(mpi_count(call, count));
    offset += count;
  }
  mpi_count(call, offset);
}

/// Calls piece(byte offset, elements, request) for one chunk of the request after the other.
void run_in_chunks(const Call& call, const char* name,
                   const std::function<int(std::size_t, int, MPI_Request*)>& piece) {
  const std::size_t element = size_of(call.request.type);
  const std::size_t most = std::max<std::size_t>(1, call.chunk_bytes / element);
  for (std::size_t done = 0; done < call.request.count; done += most) {
    const int count = static_cast<int>(std::min(most, call.request.count - done));
    call.run(name, [&](MPI_Request* pending) { return piece(done * element, count, pending); });
  }
}

void finish(const Call& call, std::size_t count) {
  if (call.request.op != ReduceOp::AVERAGE) return;
  finish_average(call.request.output, count, call.request.type, call.size);
}

void all_reduce(const Call& call) {
  const Request& request = call.request;
  if (!Packet::carries(call.signature())) {
    run_in_chunks(call, "MPI_Iallreduce", [&](std::size_t offset, int count, MPI_Request* pending) {
      const void* input = request.input == request.output ? MPI_IN_PLACE : request.input + offset;
      return MPI_Iallreduce(input, request.output + offset, count, mpi_type(call), mpi_op(call), call.comm,
                            pending);
    });
  }
  finish(call, request.count);
}

void reduce(const Call& call) {
  const Request& request = call.request;
  const bool at_root = call.rank == call.signature().root;
  run_in_chunks(call, "MPI_Ireduce", [&](std::size_t offset, int count, MPI_Request* pending) {
    const void* input = at_root && request.input == request.output ? MPI_IN_PLACE : request.input + offset;
    return MPI_Ireduce(input, at_root ? request.output + offset : nullptr, count, mpi_type(call),
                       mpi_op(call), call.signature().root, call.comm, pending);
  });
  if (at_root) finish(call, request.count);
}

void reduce_scatter(const Call& call) {
  lay_out_shares(call);
  call.run("MPI_Ireduce_scatter", [&](MPI_Request* pending) {
    return MPI_Ireduce_scatter(call.request.input, call.request.output, call.buffers.counts.data(),
                               mpi_type(call), mpi_op(call), call.comm, pending);
  });
  finish(call, call.request.count);
}

void broadcast(const Call& call) {
  run_in_chunks(call, "MPI_Ibcast", [&](std::size_t offset, int count, MPI_Request* pending) {
    return MPI_Ibcast(call.request.output + offset, count, mpi_type(call), call.signature().root, call.comm,
                      pending);
  });
}

void scatter(const Call& call) {
  if (call.rank == call.signature().root) lay_out_shares(call);
  const Request& request = call.request;
  const int own = mpi_count(call, request.count);
  call.run("MPI_Iscatterv", [&](MPI_Request* pending) {
    return MPI_Iscatterv(request.input, call.buffers.counts.data(), call.buffers.displacements.data(),
                         mpi_type(call), request.output, own, mpi_type(call), call.signature().root,
                         call.comm, pending);
  });
}

void gather(const Call& call) {
  if (call.rank == call.signature().root) lay_out_shares(call);
  const Request& request = call.request;
  const int own = mpi_count(call, request.count);
  call.run("MPI_Igatherv", [&](MPI_Request* pending) {
    return MPI_Igatherv(request.input, own, mpi_type(call), request.output, call.buffers.counts.data(),
                        call.buffers.displacements.data(), mpi_type(call), call.signature().root, call.comm,
                        pending);
  });
}

void all_gather(const Call& call) {
  lay_out_shares(call);
  const Request& request = call.request;
  call.run("MPI_Iallgatherv", [&](MPI_Request* pending) {
    return MPI_Iallgatherv(request.input, mpi_count(call, request.count), mpi_type(call), request.output,
                           call.buffers.counts.data(), call.buffers.displacements.data(), mpi_type(call),
                           call.comm, pending);
  });
}

void all_to_all(const Call& call) {
  const Request& request = call.request;
  const int count = mpi_count(call, request.count);
  call.run("MPI_Ialltoall", [&](MPI_Request* pending) {
    return MPI_Ialltoall(request.input, count, mpi_type(call), request.output, count, mpi_type(call),
                         call.comm, pending);
  });
}

void exchange_choices(const Call& call) {
  Buffers& buffers = call.buffers;
  buffers.choice = {call.request.root_or_peer, call.request.tag};
  buffers.choices.resize(static_cast<std::size_t>(call.size));
  call.run("MPI_Iallgather", [&](MPI_Request* request) {
    return MPI_Iallgather(&buffers.choice, 2, MPI_INT32_T, buffers.choices.data(), 2, MPI_INT32_T, call.comm,
                          request);
  });
}

}  // namespace

void check_counts(const Request& request, int ranks, int rank) {
  const bool is_rooted = request.operation == Operation::SCATTER || request.operation == Operation::GATHER;
  const bool is_in_one_call =
      is_rooted || request.operation == Operation::ALL_GATHER || request.operation == Operation::ALL_TO_ALL;
  if (!is_in_one_call) return;
  // With counts that differ, only the root of a rooted operation knows the sum.
  std::size_t all = request.count * static_cast<std::size_t>(ranks);
  if (!request.counts.empty()) {
    all = 0;
    for (const std::int64_t count : request.counts) all += static_cast<std::size_t>(count);
  } else if (is_rooted && rank != request.root_or_peer) {
    all = request.count;  // the root's counts may differ
  }
  if (request.operation == Operation::ALL_TO_ALL) all = request.count;
  if (all <= static_cast<std::size_t>(std::numeric_limits<int>::max())) return;
  throw Error(ErrorCode::INVALID_ARGUMENT,
              name_of(request.operation) + " needs " + std::to_string(all) +
                  " elements in one call, but MPI takes at most 2147483647; pass "
                  "them in several calls.");
}

void run_collective(const Call& call) {
  switch (call.request.operation) {
    case Operation::BROADCAST:
      return broadcast(call);
    case Operation::SCATTER:
      return scatter(call);
    case Operation::GATHER:
      return gather(call);
    case Operation::ALL_GATHER:
      return all_gather(call);
    case Operation::REDUCE:
      return reduce(call);
    case Operation::REDUCE_SCATTER:
      return reduce_scatter(call);
    case Operation::ALL_REDUCE:
      return all_reduce(call);
    case Operation::ALL_TO_ALL:
      return all_to_all(call);
    case Operation::BARRIER:  // the agreement was one
    case Operation::SEND:
    case Operation::RECEIVE:
      return;
    case Operation::REDUCE_STEP:  // needs shared memory
    case Operation::SPLIT:
      return exchange_choices(call);
  }
}

}  // namespace lockstep::mpi

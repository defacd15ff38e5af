#include "backends/mpi/backend.h"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <mutex>
#include <numeric>

#include "backends/mpi/mpi_call.h"
#include "core/data_type.h"

namespace lockstep::mpi {
namespace {

/// Bytes for one MPI call where an operation can be cut. LOCKSTEP_MPI_CHUNK_BYTES sets it (equal on all
/// ranks), so that tests need no gigabytes to see two chunks.
std::size_t chunk_bytes_from_environment() {
  constexpr std::size_t DEFAULT = std::size_t{1} << 28;
  constexpr std::size_t MOST = std::size_t{1} << 30;
  const char* text = std::getenv("LOCKSTEP_MPI_CHUNK_BYTES");
  if (text == nullptr) return DEFAULT;
  std::size_t bytes = 0;
  const char* const end = text + std::strlen(text);
  const auto [rest, error] = std::from_chars(text, end, bytes);
  if (error == std::errc{} && rest == end && bytes > 0 && bytes <= MOST) return bytes;
  throw Error(ErrorCode::INVALID_ARGUMENT, "LOCKSTEP_MPI_CHUNK_BYTES is \"" + std::string(text) +
                                               "\"; it must be a number of bytes from 1 to 1073741824.");
}

bool has_root(Operation operation) {
  return operation == Operation::BROADCAST || operation == Operation::SCATTER ||
         operation == Operation::GATHER || operation == Operation::REDUCE;
}

bool reduces(Operation operation) {
  return operation == Operation::REDUCE || operation == Operation::REDUCE_SCATTER ||
         operation == Operation::ALL_REDUCE;
}

std::vector<int> world_ranks(MPI_Comm comm) {
  int size = 0;
  check(MPI_Comm_size(comm, &size), "MPI_Comm_size");
  std::vector<int> own(static_cast<std::size_t>(size));
  std::iota(own.begin(), own.end(), 0);
  std::vector<int> in_world(own.size());
  MPI_Group group = MPI_GROUP_NULL;
  MPI_Group world = MPI_GROUP_NULL;
  check(MPI_Comm_group(comm, &group), "MPI_Comm_group");
  check(MPI_Comm_group(MPI_COMM_WORLD, &world), "MPI_Comm_group");
  check(MPI_Group_translate_ranks(group, size, own.data(), world, in_world.data()),
        "MPI_Group_translate_ranks");
  MPI_Group_free(&group);
  MPI_Group_free(&world);
  return in_world;
}

MPI_Comm create(MPI_Comm parent, const std::vector<int>& members) {
  MPI_Group all = MPI_GROUP_NULL;
  MPI_Group some = MPI_GROUP_NULL;
  MPI_Comm comm = MPI_COMM_NULL;
  check(MPI_Comm_group(parent, &all), "MPI_Comm_group");
  check(MPI_Group_incl(all, static_cast<int>(members.size()), members.data(), &some), "MPI_Group_incl");
  check(MPI_Comm_create_group(parent, some, 0, &comm), "MPI_Comm_create_group");
  MPI_Group_free(&all);
  MPI_Group_free(&some);
  return comm;
}

}  // namespace

MpiBackend::MpiBackend(Session& session, MPI_Comm comm, double timeout_seconds)
    : session_(session),
      comm_(comm),
      members_(world_ranks(comm)),
      timeout_seconds_(timeout_seconds),
      chunk_bytes_(chunk_bytes_from_environment()),
      traffic_(static_cast<int>(members_.size())) {
  check(MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  check(MPI_Comm_rank(comm_, &rank_), "MPI_Comm_rank");
}

int MpiBackend::execute(const Request& request, const Deadline& deadline) {
  if (WidenedAverage::applies(request)) {
    widened_.run(request, size(), [&](const Request& wide) { run(wide, deadline); });
  } else {
    run(request, deadline);
  }
  return 0;
}

void MpiBackend::run(const Request& request, const Deadline& deadline) {
  check_counts(request, size(), rank_);
  const Signature signature = signature_of(request);
  const Pending pending{signature, members_, rank_, Transport::ANY, &traffic_};
  last_algorithm_ = Algorithm::LIBRARY;
  const Call call{session_, comm_, rank_, size(), chunk_bytes_, request, pending, deadline, buffers_};
  try {
    carry_out(call);
  } catch (const Error& error) {
    if (disagreed_) throw;
    throw session_.fail(error, pending, deadline.timeout_seconds());
  }
}

void MpiBackend::carry_out(const Call& call) {
  try {
    agree(call);
  } catch (const Error& error) {
    disagreed_ = error.code() == ErrorCode::MISMATCH;
    throw;
  }
  run_collective(call);
}

Signature MpiBackend::signature_of(const Request& request) {
  Signature signature;
  const Operation operation = request.operation;
  const bool lengths_may_differ =
      operation == Operation::SCATTER || operation == Operation::GATHER || !request.counts.empty();
  signature.operation = operation;
  signature.type = request.type;
  signature.op = reduces(operation) ? request.op : ReduceOp::SUM;
  signature.root = has_root(operation) ? request.root_or_peer : 0;
  signature.count = lengths_may_differ ? 0 : request.count;
  signature.sequence = ++sequence_;
  return signature;
}

std::unique_ptr<Backend> MpiBackend::split(int color, int key, const Deadline& deadline) {
  Request request;
  request.operation = Operation::SPLIT;
  request.root_or_peer = color;
  request.tag = key;
  execute(request, deadline);
  const std::vector<int> members = lockstep::members_of(buffers_.choices, color);
  if (members.empty()) return nullptr;
  std::lock_guard lock(session_.mutex());
  session_.require_usable();
  MPI_Comm comm = create(comm_, members);
  auto group = std::make_unique<MpiBackend>(session_, comm, timeout_seconds_);
  session_.count_in();
  return group;
}

void MpiBackend::abort(const Error& reason) noexcept {
  if (disagreed_ || closed_) return;
  try {
    const Pending pending{FAREWELL, members_, rank_};
    session_.fail(Error(reason), pending, timeout_seconds_);
  } catch (const std::exception&) {
    // Out of memory while telling the peers: their own deadline ends them.
  }
}

void MpiBackend::close() noexcept {
  if (closed_) return;
  closed_ = true;
  {
    std::lock_guard lock(session_.mutex());
    // Local in practice, and collective only on paper (MPI 4.0, section 7.4.3): no rank waits here.
    if (!session_.failed()) MPI_Comm_free(&comm_);
  }
  session_.leave(timeout_seconds_);
}

}  // namespace lockstep::mpi

/// How liblockstep.so enters: joins the group of all ranks that mpirun or srun started.
extern "C" LOCKSTEP_API lockstep::Backend* lockstep_open_mpi_backend(double timeout_seconds) {
  using namespace lockstep::mpi;
  Session& session = Session::join();
  try {
    std::lock_guard lock(session.mutex());
    MPI_Comm comm = MPI_COMM_NULL;
    check(MPI_Comm_dup(MPI_COMM_WORLD, &comm), "MPI_Comm_dup");
    return new MpiBackend(session, comm, timeout_seconds);
  } catch (...) {
    session.leave(timeout_seconds);
    throw;
  }
}

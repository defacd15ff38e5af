#include "backends/mpi/session.h"

#include <atomic>
#include <cstdlib>
#include <exception>
#include <numeric>

#include "backends/mpi/mpi_call.h"
#include "backends/mpi/signal_guard.h"
#include "core/log.h"

namespace lockstep::mpi {
namespace {

/// Ranks that a launcher says it started, by the variables of Open MPI's mpirun and of the PMI that MPICH's
/// speaks.
int launched_ranks() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"}) {
    if (const char* value = std::getenv(name)) return std::atoi(value);
  }
  return 1;
}

/// MPICH over UCX among ranks of one host, which Hydra's variables give away: plain shared memory only.
/// Otherwise UCX copies from the memory of other processes, and aborts this one when such a process has just
/// died; told not to, it takes TCP, and MPI_Finalize of MPICH 4.0.2 now and then waits for a connection
/// without end. See README.md.
void keep_ucx_to_shared_memory() {
  const char* ranks = std::getenv("PMI_SIZE");
  const char* ranks_here = std::getenv("MPI_LOCALNRANKS");
  constexpr int KEEP_THE_USERS = 0;
  if (ranks != nullptr && ranks_here != nullptr && std::string(ranks) == ranks_here) {
    setenv("UCX_TLS", "posix,self", KEEP_THE_USERS);
  }
}

std::string library_name() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING] = "";
  int length = 0;
  MPI_Get_library_version(text, &length);
  const std::string version(text, static_cast<std::size_t>(length));
  return version.substr(0, version.find_first_of(",\n"));
}

}  // namespace

Session& Session::join() {
  // Never destroyed: after a failure MPI may hold addresses inside it until the process ends.
  static Session* const session = new Session;
  std::lock_guard life(session->life_mutex_);
  std::lock_guard lock(session->mutex_);
  if (session->ended_) {
    throw Error(
        ErrorCode::CLOSED,
        "MPI has been shut down with the last communicator, and cannot be started twice in one process; keep "
        "one communicator open for as long as the process needs MPI.");
  }
  session->require_usable();
  if (!session->started_) session->start();
  ++session->groups_;
  return *session;
}

void Session::start() {
  int initialised = 0;
  int finalised = 0;
  MPI_Initialized(&initialised);
  MPI_Finalized(&finalised);
  if (finalised)
    throw Error(ErrorCode::CLOSED, "The host application has shut MPI down already (MPI_Finalize).");
  if (!initialised) {
    const SignalGuard guard;
    keep_ucx_to_shared_memory();
    int provided = MPI_THREAD_SINGLE;
    check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided), "MPI_Init_thread");
    initialised_here_ = true;
    check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    check(MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  }
  board_.open(MPI_COMM_WORLD);
  if (board_.size() == 1 && launched_ranks() > 1) {
    if (initialised_here_) MPI_Finalize();
    ended_ = true;
    throw Error(ErrorCode::RENDEZVOUS, "The launcher started " + std::to_string(launched_ranks()) +
                                           " ranks, but " + library_name() +
                                           " found only itself; use the mpirun that belongs to this MPI.");
  }
  peers_.exchange(board_.comm());
  datatypes_.create();
  packet_type_.create();
  started_ = true;
}

void Session::leave(double timeout_seconds) noexcept {
  std::lock_guard life(life_mutex_);
  {
    std::lock_guard lock(mutex_);
    if (--groups_ > 0 || failed()) return;
  }
  try {
    end(timeout_seconds);
  } catch (const std::exception& error) {
    log_notice(LogLevel::WARN, std::string("MPI was left without MPI_Finalize: ") + error.what());
  }
}

void Session::end(double timeout_seconds) {
  if (initialised_here_) say_farewell(timeout_seconds);
  std::lock_guard lock(mutex_);
  packet_type_.free();
  datatypes_.free();
  board_.free();
  started_ = false;
  if (!initialised_here_) return;
  ended_ = true;
  MPI_Finalize();
}

void Session::say_farewell(double timeout_seconds) {
  std::vector<int> everyone(static_cast<std::size_t>(board_.size()));
  std::iota(everyone.begin(), everyone.end(), 0);
  const Pending pending{FAREWELL, everyone, board_.rank()};
  const std::atomic<bool> never{false};
  const Deadline deadline(std::chrono::duration<double>(timeout_seconds), never);
  try {
    {
      std::lock_guard lock(mutex_);
      Notice shutdown;
      shutdown.is_shutdown = 1;
      shutdown.at_fault = Error::NO_RANK;
      board_.post(shutdown);
    }
    wait_until(pending, deadline, [&] {
      board_.progress();
      return board_.all_others_left() && board_.delivered();
    });
  } catch (const Error& error) {
    throw fail(error, pending, timeout_seconds);
  }
}

void Session::require_usable() const {
  if (!failure_) return;
  throw Error(ErrorCode::CLOSED,
              "MPI is no longer used in this process, because an operation failed: " + *failure_);
}

}  // namespace lockstep::mpi

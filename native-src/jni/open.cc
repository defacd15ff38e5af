// How communicators come into being, but for TCP (open_tcp.cc).

#include <dlfcn.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <string>
#include <utility>

#include "backends/mpi/signal_guard.h"
#include "collective/backend/single_backend.h"
#include "collective/backend/transport_backend.h"
#include "collective/communicator/message_wire.h"
#include "collective/hosts/hosts.h"
#include "jni/boundary.h"
#include "jni/communicators.h"
#include "lockstep/communicator.h"
#include "transport/in_process/in_process_transport.h"

namespace lockstep {
namespace {

constexpr double LONGEST_FORMATION_SECONDS = 1e6;
constexpr const char* MPI_ENTRY_POINT = "lockstep_open_mpi_backend";
using OpenMpiBackend = Backend* (*)(double timeout_seconds);

[[noreturn]] void refuse_plugin(const std::string& path) {
  const char* reason = dlerror();
  throw Error(ErrorCode::UNAVAILABLE, "The MPI backend " + path + " cannot be loaded: " +
                                          (reason == nullptr ? "unknown reason" : reason) +
                                          ". Install that MPI library, or choose another backend.");
}

}  // namespace

std::int64_t open_communicator(std::unique_ptr<Backend> backend, double timeout_seconds) {
  std::unique_ptr<Wire> wire = message_wire(*backend, std::min(timeout_seconds, LONGEST_FORMATION_SECONDS));
  return communicators().insert(
      std::make_shared<Communicator>(std::move(backend), timeout_seconds, std::move(wire)));
}

MemorySharing memory_sharing_from(std::int32_t code) {
  if (code >= 0 && code <= static_cast<std::int32_t>(MemorySharing::REQUIRED)) {
    return static_cast<MemorySharing>(code);
  }
  throw Error(ErrorCode::INVALID_ARGUMENT, "No way of sharing memory has code " + std::to_string(code) + ".");
}

std::int64_t open_sharing(std::unique_ptr<Backend> backend, double timeout_seconds, MemorySharing sharing,
                          bool keeps_backend, const std::string& label) {
  if (sharing != MemorySharing::NEVER) {
    const std::atomic<bool> never{false};
    const Deadline deadline(std::chrono::duration<double>(checked_timeout(timeout_seconds)), never);
    HostOptions options;
    options.is_required = sharing == MemorySharing::REQUIRED;
    options.label = label;
    backend = share_hosts(std::move(backend), keeps_backend, options, deadline);
  }
  return open_communicator(std::move(backend), timeout_seconds);
}

void check_world(std::int32_t rank, std::int32_t world_size) {
  if (world_size < 1 || rank < 0 || rank >= world_size) {
    throw Error(ErrorCode::INVALID_ARGUMENT,
                "Rank " + std::to_string(rank) + " of world size " + std::to_string(world_size) +
                    " is impossible; ranks go from 0 to the world size less one.");
  }
}

std::int64_t open_single() {
  return at_boundary([&] {
    return open_communicator(std::make_unique<SingleBackend>(), std::numeric_limits<double>::infinity());
  });
}

std::int64_t open_in_process(const char* group, std::int32_t rank, std::int32_t world_size,
                             double timeout_seconds) {
  return at_boundary([&] {
    check_world(rank, world_size);
    if (group == nullptr) throw Error(ErrorCode::INVALID_ARGUMENT, "An in-process group needs a name.");
    const std::atomic<bool> never{false};
    const Deadline deadline(std::chrono::duration<double>(checked_timeout(timeout_seconds)), never);
    return open_communicator(make_backend(join_in_process(group, rank, world_size, deadline), {}, 1),
                             timeout_seconds);
  });
}

std::int64_t open_mpi(const char* plugin_path, double timeout_seconds, std::int32_t memory_sharing) {
  return at_boundary([&] {
    const MemorySharing sharing = memory_sharing_from(memory_sharing);
    checked_timeout(timeout_seconds);
    if (plugin_path == nullptr)
      throw Error(ErrorCode::INVALID_ARGUMENT, "The path of the MPI backend is missing.");
    // UCX, under MPICH, takes the signals of faults over while it is loaded.
    const SignalGuard guard;
    // Global, because an MPI library loads components of its own that look for its symbols. Never unloaded:
    // MPI cannot be initialised twice in a process.
    void* library = dlopen(plugin_path, RTLD_NOW | RTLD_GLOBAL);
    if (library == nullptr) refuse_plugin(plugin_path);
    auto open = reinterpret_cast<OpenMpiBackend>(dlsym(library, MPI_ENTRY_POINT));
    if (open == nullptr) refuse_plugin(plugin_path);
    // MPI can be started once in a process: it must live as long as the group.
    return open_sharing(std::unique_ptr<Backend>(open(timeout_seconds)), timeout_seconds, sharing, true,
                        "mpi");
  });
}

}  // namespace lockstep

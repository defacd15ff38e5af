#include "backends/mpi/peers.h"

#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "backends/mpi/mpi_call.h"

namespace lockstep::mpi {
namespace {

/// Start time of a process in clock ticks since boot; 0 when there is none, or only a zombie's entry
/// (proc(5)).
std::uint64_t start_time_of(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  const std::string line{std::istreambuf_iterator<char>(file), {}};
  const std::size_t after_name = line.rfind(')');
  if (after_name == std::string::npos) return 0;
  std::istringstream fields(line.substr(after_name + 1));
  std::string field;
  constexpr int STATE = 3;
  constexpr int START_TIME = 22;
  for (int number = STATE; number <= START_TIME && fields >> field; ++number) {
    if (number == STATE && (field == "Z" || field == "X")) return 0;
    if (number == START_TIME) return std::stoull(field);
  }
  return 0;
}

}  // namespace

Peers::Identity Peers::own_identity() {
  Identity own{};
  std::string boot;
  std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), boot);
  char pid_namespace[40] = "";
  const ssize_t length = readlink("/proc/self/ns/pid", pid_namespace, sizeof pid_namespace - 1);
  std::snprintf(own.machine, sizeof own.machine, "%s %.*s", boot.c_str(),
                static_cast<int>(length < 0 ? 0 : length), pid_namespace);
  own.pid = getpid();
  own.start_time = start_time_of(own.pid);
  return own;
}

void Peers::exchange(MPI_Comm world) {
  int size = 0;
  check(MPI_Comm_rank(world, &own_rank_), "MPI_Comm_rank");
  check(MPI_Comm_size(world, &size), "MPI_Comm_size");
  const Identity own = own_identity();
  identities_.resize(static_cast<std::size_t>(size));
  check(MPI_Allgather(&own, sizeof own, MPI_BYTE, identities_.data(), sizeof own, MPI_BYTE, world),
        "MPI_Allgather");
}

int Peers::first_dead(std::span<const int> world_ranks) const {
  const Identity& own = identities_[static_cast<std::size_t>(own_rank_)];
  for (int rank : world_ranks) {
    const Identity& peer = identities_[static_cast<std::size_t>(rank)];
    if (std::strncmp(own.machine, peer.machine, sizeof own.machine) != 0) continue;
    if (start_time_of(peer.pid) != peer.start_time) return rank;
  }
  return -1;
}

}  // namespace lockstep::mpi

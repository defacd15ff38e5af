#pragma once

#include <mpi.h>

#include <cstdint>
#include <span>
#include <vector>

namespace lockstep::mpi {

/// The processes behind the ranks of MPI_COMM_WORLD. The launcher's word that a rank has died comes late or
/// never, so those on this host are looked up in /proc.
class Peers {
 public:
  /// Collective over `world`: every rank says where it runs.
  void exchange(MPI_Comm world);

  /// @return the first of `world_ranks` that ran on this host and is gone, or -1
  int first_dead(std::span<const int> world_ranks) const;

 private:
  struct Identity {
    char machine[96];  ///< boot and process-id namespace: equal where a pid means the same process
    std::int32_t pid;
    std::uint64_t start_time;  ///< tells a process from a later one with the same pid
  };

  static Identity own_identity();

  std::vector<Identity> identities_;
  int own_rank_ = 0;
};

}  // namespace lockstep::mpi

#pragma once

#include <mpi.h>

#include <memory>
#include <string>
#include <vector>

#include "backends/mpi/call.h"
#include "backends/mpi/session.h"
#include "collective/backend/backend.h"
#include "collective/backend/widened_average.h"

namespace lockstep::mpi {

/// A group whose operations are the MPI library's own collectives, in their non-blocking forms, so that
/// deadlines, dead peers and cancellation end them.
class MpiBackend final : public Backend {
 public:
  /// Takes over `comm` and one count in `session`, which it leaves in close().
  MpiBackend(Session& session, MPI_Comm comm, double timeout_seconds);
  ~MpiBackend() override { close(); }

  int rank() const override { return rank_; }
  int size() const override { return static_cast<int>(members_.size()); }
  std::string name() const override { return "mpi"; }
  Traffic* traffic() override { return &traffic_; }
  Algorithm last_algorithm() const override { return last_algorithm_; }
  int execute(const Request& request, const Deadline& deadline) override;

  /// MPI_Comm_create_group blocks without a deadline, so it begins only once all ranks have told their color
  /// and key. A rank that dies in that short call leaves the others in it until the launcher ends them. Two
  /// threads of a process must not split two groups at the same time.
  std::unique_ptr<Backend> split(int color, int key, const Deadline& deadline) override;

  /// Ends MPI for all ranks of MPI_COMM_WORLD, except after a disagreement, which all ranks of the group have
  /// seen.
  void abort(const Error& reason) noexcept override;
  void close() noexcept override;

 private:
  Signature signature_of(const Request& request);
  void run(const Request& request, const Deadline& deadline);
  void carry_out(const Call& call);

  Session& session_;
  MPI_Comm comm_;
  int rank_ = 0;
  std::vector<int> members_;  ///< world ranks by rank
  double timeout_seconds_;
  std::size_t chunk_bytes_;
  std::uint64_t sequence_ = 0;
  bool disagreed_ = false;
  bool closed_ = false;
  WidenedAverage widened_;
  Buffers buffers_;
  Traffic traffic_;  ///< what MPI exchanges within collectives is its own affair
  Algorithm last_algorithm_ = Algorithm::NONE;
};

}  // namespace lockstep::mpi

#pragma once

#include <mpi.h>

#include <cstdint>
#include <list>
#include <optional>
#include <vector>

#include "transport/transport.h"

namespace lockstep::mpi {

/// What a rank says to all others when it gives up. Crosses the wire as it is.
struct Notice {
  std::int32_t origin = 0;    ///< world rank that speaks
  std::int32_t at_fault = 0;  ///< world rank, or Error::NO_RANK
  ErrorCode code = ErrorCode::SYSTEM;
  double timeout_seconds = 0;  ///< that the speaker had
  Signature pending;           ///< what it was waiting for
  char text[400] = "";         ///< the error's words
};

/// Notices among all ranks of MPI_COMM_WORLD, over a communicator of their own. MPI has no portable way to tell a peer
/// that its partner has given up; this is ours. Best effort: what MPI refuses is lost, and the peer's own deadline or
/// look at /proc does the rest. The caller holds the MPI mutex.
class NoticeBoard {
 public:
  void open(MPI_Comm world);
  void free();

  int rank() const { return rank_; }

  /// Hands `notice` to MPI for every other rank. Its memory lives here for good, since MPI may read it late.
  void post(const Notice& notice);

  /// Takes what has arrived, and lets MPI carry on with what was posted.
  void progress();

  /// The first notice that arrived, or null.
  const Notice* first() const { return first_ < 0 ? nullptr : from(first_); }
  /// The latest notice of a world rank, or null.
  const Notice* from(int world_rank) const;
  /// Whether MPI has taken all that was posted.
  bool delivered() const;

 private:
  MPI_Comm comm_ = MPI_COMM_NULL;
  int rank_ = 0;
  int first_ = -1;
  std::vector<std::optional<Notice>> notices_;
  std::list<Notice> posted_;
  std::vector<MPI_Request> sends_;
};

}  // namespace lockstep::mpi

#pragma once

#include <mpi.h>

#include <cstdint>
#include <list>
#include <optional>
#include <vector>

#include "transport/transport.h"

namespace lockstep::mpi {

/// What a rank says to all others when it gives up, or when it has closed its last group. Crosses the wire as
/// it is.
struct Notice {
  std::int32_t is_shutdown = 0;                          ///< nothing failed, and the rest says nothing
  std::int32_t origin = 0;                               ///< world rank that speaks
  std::int32_t at_fault = 0;                             ///< world rank, or Error::NO_RANK
  Error::Numbering numbering = Error::Numbering::GROUP;  ///< WHOLE: at_fault is a rank of that larger group
  ErrorCode code = ErrorCode::SYSTEM;
  double timeout_seconds = 0;  ///< that the speaker had
  Signature pending;           ///< what it was waiting for
  char text[400] = "";         ///< the error's words
};

/// Notices among all ranks of MPI_COMM_WORLD, over a communicator of their own. MPI has no portable way to
/// tell a peer that its partner has given up; this is ours. Best effort: what MPI refuses is lost, and the
/// peer's own deadline or look at /proc does the rest. The caller holds the MPI mutex.
class NoticeBoard {
 public:
  static constexpr int NOBODY = -1;

  void open(MPI_Comm world);
  void free();

  MPI_Comm comm() const { return comm_; }
  int rank() const { return rank_; }
  int size() const { return static_cast<int>(notices_.size()); }

  /// Hands `notice` to MPI for every other rank but `dead`. Its memory lives here for good, since MPI may
  /// read it late.
  void post(const Notice& notice, int dead = NOBODY);

  /// Takes what has arrived, and lets MPI carry on with what was posted.
  void progress();

  /// The first notice of a failure that arrived, or null.
  const Notice* first() const { return first_ < 0 ? nullptr : from(first_); }
  /// The latest notice of a failure from a world rank, or null.
  const Notice* from(int world_rank) const;
  bool has_left(int world_rank) const { return left_[static_cast<std::size_t>(world_rank)]; }
  /// Whether every other rank has given notice of its shutdown.
  bool all_others_left() const;
  /// Whether MPI has taken all that was posted.
  bool delivered() const;

 private:
  MPI_Comm comm_ = MPI_COMM_NULL;
  int rank_ = 0;
  int first_ = -1;
  std::vector<std::optional<Notice>> notices_;
  std::vector<bool> left_;
  std::list<Notice> posted_;
  std::vector<MPI_Request> sends_;
};

}  // namespace lockstep::mpi

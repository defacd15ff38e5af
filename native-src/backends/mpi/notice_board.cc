#include "backends/mpi/notice_board.h"

#include <algorithm>

#include "backends/mpi/mpi_call.h"

namespace lockstep::mpi {
namespace {

constexpr int TAG = 0;

}  // namespace

void NoticeBoard::open(MPI_Comm world) {
  check(MPI_Comm_dup(world, &comm_), "MPI_Comm_dup");
  check(MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  int size = 0;
  check(MPI_Comm_rank(comm_, &rank_), "MPI_Comm_rank");
  check(MPI_Comm_size(comm_, &size), "MPI_Comm_size");
  notices_.assign(static_cast<std::size_t>(size), std::nullopt);
  left_.assign(static_cast<std::size_t>(size), false);
}

void NoticeBoard::free() { MPI_Comm_free(&comm_); }

void NoticeBoard::post(const Notice& notice, int dead) {
  const Notice& kept = posted_.emplace_back(notice);
  for (int peer = 0; peer < static_cast<int>(notices_.size()); ++peer) {
    if (peer == rank_ || peer == dead) continue;
    MPI_Request request = MPI_REQUEST_NULL;
    if (MPI_Isend(&kept, sizeof kept, MPI_BYTE, peer, TAG, comm_, &request) == MPI_SUCCESS)
      sends_.push_back(request);
  }
}

void NoticeBoard::progress() {
  for (;;) {
    int arrived = 0;
    MPI_Message message = MPI_MESSAGE_NULL;
    MPI_Status status;
    if (MPI_Improbe(MPI_ANY_SOURCE, TAG, comm_, &arrived, &message, &status) != MPI_SUCCESS || !arrived)
      break;
    Notice notice;
    if (MPI_Mrecv(&notice, sizeof notice, MPI_BYTE, &message, &status) != MPI_SUCCESS) break;
    notice.text[sizeof notice.text - 1] = '\0';
    if (notice.is_shutdown) {
      left_[static_cast<std::size_t>(status.MPI_SOURCE)] = true;
      continue;
    }
    notices_[static_cast<std::size_t>(status.MPI_SOURCE)] = notice;
    if (first_ < 0) first_ = status.MPI_SOURCE;
  }
  for (MPI_Request& request : sends_) {
    int done = 0;
    if (MPI_Test(&request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS) request = MPI_REQUEST_NULL;
  }
}

const Notice* NoticeBoard::from(int world_rank) const {
  const auto& notice = notices_[static_cast<std::size_t>(world_rank)];
  return notice ? &*notice : nullptr;
}

bool NoticeBoard::all_others_left() const {
  return std::count(left_.begin(), left_.end(), true) == size() - 1;
}

bool NoticeBoard::delivered() const {
  return std::all_of(sends_.begin(), sends_.end(),
                     [](MPI_Request request) { return request == MPI_REQUEST_NULL; });
}

}  // namespace lockstep::mpi

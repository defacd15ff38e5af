#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "transport/in_process/in_process_wire.h"
#include "transport/stall.h"
#include "transport/transport.h"

namespace lockstep::in_process {

/// One half of a message: what a rank wants to send or receive. Guarded by the group's mutex, but for the
/// bytes behind `data` while `copying`.
struct Post {
  bool is_send = false;
  int owner = 0;
  int peer = 0;
  Signature signature;
  std::byte* data = nullptr;
  std::size_t bytes = 0;
  std::vector<std::byte> kept;  ///< of a SEND that no receive has met: its bytes
  bool copying = false;
  bool done = false;
  int matched_rank = 0;
};

/// What the ranks (threads) of one group share. Whoever posts the second half of a message copies it straight
/// from the sender's memory to the receiver's. A message of a collective is never kept: its send ends when it
/// has been received. A SEND that comes first is kept, so that two ranks may both send before they receive,
/// as over a network.
class Group {
 public:
  explicit Group(int size);

  const std::shared_ptr<WireHub>& wires() const { return wires_; }
  int size() const { return static_cast<int>(members_.size()); }

  /// Registers a half and, where its other half is there, carries the message over.
  std::shared_ptr<Post> post(Post half);

  /// @param traffic of the rank that waits
  /// @return the rank on the other side
  int wait(Post& post, const Deadline& deadline, Traffic& traffic);

  /// Ends the group for all ranks: their waits throw what aborted_error() makes of `reason`.
  void abort(int origin, const Error& reason);

  /// Rank `rank` posts no more, and its memory is no longer touched when this returns.
  /// @param goodbye false when the rank died: then every wait of every rank ends
  void leave(int rank, bool goodbye);

  bool has_left(int rank);

  /// Collective: the group of `members`, made by whoever comes first.
  std::shared_ptr<Group> split(int rank, std::span<const int> members, const Deadline& deadline);

 private:
  enum class Presence { HERE, LEFT, DIED };

  struct Member {
    Presence presence = Presence::HERE;
    Signature current;  ///< of the collective that the rank is in, to find disagreement before messages meet
    std::deque<std::shared_ptr<Post>> incoming;  ///< sends to this rank that no receive has met yet
    std::deque<std::shared_ptr<Post>> receives;  ///< receives of this rank that no send has met yet
    std::size_t splits = 0;
    int copies = 0;  ///< messages from or to this rank that are being copied, by whichever thread
    std::condition_variable changed;
    const StallWatch* waiting = nullptr;    ///< what it waits for, while it does
    Deadline::Clock::time_point entered{};  ///< `current`
  };

  struct SubGroup {
    std::shared_ptr<Group> group;
    std::vector<int> arrived;
    std::size_t departed = 0;
  };

  using Lock = std::unique_lock<std::mutex>;

  static void keep(Post& send);
  void enter(int rank, const Signature& signature);
  std::shared_ptr<Post> take_other_half(const Post& half);
  void carry(Lock& lock, Post& send, Post& receive);
  /// From its return on nobody touches the memory that `rank` has posted.
  void retire(Lock& lock, int rank);
  void fail(const Error& error);
  /// The reason for which `rank`, waiting for `awaited` in `own`, cannot go on.
  std::optional<Error> obstacle(int rank, int awaited, const Signature& own) const;
  bool all_others_left(int rank) const;
  void wake_all();
  std::vector<WaitReport> wait_reports() const;

  const std::shared_ptr<WireHub> wires_;
  std::mutex mutex_;
  std::vector<Member> members_;
  std::optional<Error> failure_;
  std::map<std::pair<std::size_t, std::vector<int>>, SubGroup>
      sub_groups_;  ///< by number of the split and members
};

}  // namespace lockstep::in_process

// How a session waits, and what it does when waiting is in vain.

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string>
#include <thread>

#include "backends/mpi/session.h"
#include "core/seconds.h"
#include "transport/stall.h"

namespace lockstep::mpi {
namespace {

using Clock = Deadline::Clock;
using namespace std::chrono_literals;

/// A small exchange between running ranks takes microseconds. Spinning longer only takes the core from a rank
/// that has none of its own.
constexpr auto SPIN_TIME = 30us;
constexpr int TESTS_PER_CLOCK = 16;
/// Yielding lets ranks that share a core take turns. MPI moves data only inside calls, so sleeping starts
/// late.
constexpr auto YIELD_TIME = 500ms;
constexpr auto NAP = 100us;
constexpr auto NOTICE_INTERVAL = 10ms;
/// A dead process on this host is to be named before the launcher ends the survivors (Open MPI: after one
/// second).
constexpr auto PEER_INTERVAL = 50ms;
/// What a rank sent before it died is still in shared memory: MPI gets this long to find it.
constexpr auto GRACE = 20ms;
/// What a rank sent before it left may still be on the network.
constexpr auto LEFT_GRACE = 1000ms;
constexpr auto ROLL_CALL_TIME = 1000ms;
/// After any other failure ranks wait for each other only this long. It matters all the same: a launcher ends
/// the other ranks when the first exits, and they should have their message out by then.
constexpr auto SHORT_ROLL_CALL_TIME = 200ms;

std::string name_of_operation(const Signature& signature) {
  return signature == FAREWELL ? "close()" : signature.describe();
}

int group_rank(std::span<const int> members, int world_rank) {
  const auto found = std::find(members.begin(), members.end(), world_rank);
  return found == members.end() ? Error::NO_RANK : static_cast<int>(found - members.begin());
}

std::string name_of_rank(std::span<const int> members, int world_rank) {
  const int rank = group_rank(members, world_rank);
  return rank == Error::NO_RANK ? "rank " + std::to_string(world_rank) + " of MPI_COMM_WORLD"
                                : "rank " + std::to_string(rank);
}

std::string capitalised(std::string sentence) {
  sentence.front() = 'R';
  return sentence;
}

/// What this rank throws when another has given up.
Error relayed(const Notice& notice, std::span<const int> members) {
  const int at_fault = notice.at_fault == Error::NO_RANK ? notice.origin : notice.at_fault;
  const ErrorCode code =
      notice.code == ErrorCode::CLOSED ? ErrorCode::PEER_FAILED : code_for_peers(notice.code);
  const bool is_of_whole = notice.numbering == Error::Numbering::WHOLE;
  return Error(code, capitalised(name_of_rank(members, notice.origin)) + " ended the group: " + notice.text,
               is_of_whole ? at_fault : group_rank(members, at_fault), notice.numbering);
}

int own_world_rank(const Pending& pending) {
  return pending.members[static_cast<std::size_t>(pending.own_rank)];
}

Notice notice_of(const Error& error, const Pending& pending, double timeout_seconds) {
  Notice notice;
  notice.origin = own_world_rank(pending);
  notice.at_fault = error.rank();
  notice.numbering = error.numbering();
  if (error.rank() >= 0 && error.numbering() == Error::Numbering::GROUP)
    notice.at_fault = pending.members[static_cast<std::size_t>(error.rank())];
  notice.code = error.code();
  notice.timeout_seconds = timeout_seconds;
  notice.pending = pending.signature;
  std::strncpy(notice.text, error.what(), sizeof notice.text - 1);
  return notice;
}

}  // namespace

void Session::wait_until(const Pending& pending, const Deadline& deadline,
                         const std::function<bool()>& done) {
  const auto try_some_times = [&] {
    for (int test = 0; test < TESTS_PER_CLOCK; ++test) {
      std::lock_guard lock(mutex_);
      require_usable();
      if (done()) return true;
    }
    return false;
  };
  if (try_some_times()) return;
  std::optional<Traffic::Wait> waiting;
  if (pending.traffic != nullptr) waiting.emplace(*pending.traffic, pending.peer);
  const auto began = Clock::now();
  while (Clock::now() - began < SPIN_TIME) {
    if (try_some_times()) return;
  }
  auto next_notices = began;
  auto next_peers = began + PEER_INTERVAL;
  auto left_since = Clock::time_point::max();
  StallWatch watch(pending.own_rank, pending.signature, pending.peer, deadline);
  for (;;) {
    const auto now = Clock::now();
    {
      std::lock_guard lock(mutex_);
      require_usable();
      if (done()) return;
      if (now >= next_notices) {
        board_.progress();
        if (board_.first() != nullptr) throw relayed(*board_.first(), pending.members);
        const std::optional<int> left = awaited_that_left(pending);
        if (left) left_since = std::min(left_since, now);
        if (left && now - left_since > LEFT_GRACE)
          throw peer_left_error(pending.own_rank, *left, pending.signature);
        next_notices = now + NOTICE_INTERVAL;
      }
      if (now >= next_peers) {
        if (ended_by_death(pending, done)) return;
        next_peers = now + PEER_INTERVAL;
      }
      // No wait reports: each rank says what it waits in, and the silent one is the one to look for.
      if (watch.look() == StallWatch::Due::REPORT) watch.report({});
      if (deadline.cancelled()) throw cancelled_error(pending.own_rank, pending.signature, deadline);
      if (now >= deadline.end()) throw Error(ErrorCode::TIMEOUT, "The deadline passed.");
    }
    if (now - began < YIELD_TIME) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(NAP);
    }
  }
}

/// The rank (in the group) without which the operation cannot end, where it has closed its last group.
std::optional<int> Session::awaited_that_left(const Pending& pending) const {
  const auto has_left = [&](int member) { return board_.has_left(member); };
  const auto& members = pending.members;
  if (pending.signature == FAREWELL) return std::nullopt;
  if (pending.signature.is_point_to_point() && pending.peer != Transport::ANY) {
    return has_left(members[static_cast<std::size_t>(pending.peer)]) ? std::optional(pending.peer)
                                                                     : std::nullopt;
  }
  if (pending.signature.is_point_to_point()) {
    const bool all = std::count_if(members.begin(), members.end(), has_left) == std::ssize(members) - 1;
    return all ? std::optional(Transport::ANY) : std::nullopt;
  }
  // A rank leaves after its last operation, and no collective ends anywhere before all ranks have entered it.
  const auto found = std::find_if(members.begin(), members.end(), has_left);
  return found == members.end() ? std::nullopt : std::optional(static_cast<int>(found - members.begin()));
}

bool Session::ended_by_death(const Pending& pending, const std::function<bool()>& done) {
  const int dead = peers_.first_dead(pending.members);
  if (dead < 0) return false;
  for (const auto end = Clock::now() + GRACE; Clock::now() < end;) {
    if (done()) return true;
  }
  dead_ = dead;
  throw Error(ErrorCode::PEER_FAILED,
              capitalised(name_of_rank(pending.members, dead)) + " died: its process is gone, during " +
                  name_of_operation(pending.signature) + "; look at that rank's own output.",
              group_rank(pending.members, dead));
}

Error Session::fail(const Error& error, const Pending& pending, double timeout_seconds) {
  std::lock_guard lock(mutex_);
  if (failed()) return error;
  failure_ = error.what();
  const Notice own = notice_of(error, pending, timeout_seconds);
  const Notice cause = board_.first() == nullptr ? own : *board_.first();
  board_.post(own, dead_);
  call_roll(pending, cause);
  if (cause.code != ErrorCode::TIMEOUT) return error;
  const Error verdict = roll_call_error(pending, cause);
  failure_ = verdict.what();
  return verdict;
}

void Session::call_roll(const Pending& pending, const Notice& cause) {
  const auto answered = [&](int member) {
    return member == own_world_rank(pending) || member == dead_ || board_.from(member) != nullptr;
  };
  const auto time = cause.code == ErrorCode::TIMEOUT ? ROLL_CALL_TIME : SHORT_ROLL_CALL_TIME;
  for (const auto end = Clock::now() + time; Clock::now() < end; std::this_thread::yield()) {
    board_.progress();
    if (board_.delivered() && std::all_of(pending.members.begin(), pending.members.end(), answered)) return;
  }
}

Error Session::roll_call_error(const Pending& pending, const Notice& cause) const {
  std::string text = capitalised(name_of_rank(pending.members, cause.origin)) + " waited " +
                     seconds_text(cause.timeout_seconds) + " in " + name_of_operation(cause.pending);
  int silent = Error::NO_RANK;
  int elsewhere = Error::NO_RANK;
  for (int rank = 0; rank < static_cast<int>(pending.members.size()); ++rank) {
    const bool awaited = pending.peer == Transport::ANY || pending.peer == rank;
    if (rank == pending.own_rank || !awaited) continue;
    const Notice* answer = board_.from(pending.members[static_cast<std::size_t>(rank)]);
    if (answer == nullptr) {
      if (silent == Error::NO_RANK) silent = rank;
      text += "; rank " + std::to_string(rank) + " did not say what it waits for";
    } else if (answer->pending != cause.pending) {
      if (elsewhere == Error::NO_RANK) elsewhere = rank;
      text += "; rank " + std::to_string(rank) + " was in " + name_of_operation(answer->pending);
    }
  }
  const int awaited = silent != Error::NO_RANK ? silent : elsewhere;
  return Error(ErrorCode::TIMEOUT,
               text + ". Either a rank is slower than the timeout allows, or it never called the operation.",
               awaited != Error::NO_RANK ? awaited : group_rank(pending.members, cause.origin));
}

}  // namespace lockstep::mpi

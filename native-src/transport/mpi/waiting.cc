// How a session waits, and what it does when waiting is in vain.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <thread>

#include "transport/mpi/session.h"

namespace lockstep::mpi {
namespace {

using Clock = Deadline::Clock;
using namespace std::chrono_literals;

/// A small exchange between running ranks is over before this many tests, without a look at the clock.
constexpr int SPINS = 2000;
/// Yielding lets ranks that share a core take turns. MPI moves data only inside calls, so sleeping starts late.
constexpr auto YIELD_TIME = 500ms;
constexpr auto NAP = 100us;
constexpr auto NOTICE_INTERVAL = 10ms;
/// A dead process on this host is to be named before the launcher ends the survivors (Open MPI: after one second).
constexpr auto PEER_INTERVAL = 50ms;
/// What a rank sent before it died is still in shared memory: MPI gets this long to find it.
constexpr auto GRACE = 20ms;
constexpr auto ROLL_CALL_TIME = 1000ms;
constexpr auto DELIVERY_TIME = 50ms;

std::string seconds_text(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", seconds);
  return text;
}

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
  return Error(notice.code, capitalised(name_of_rank(members, notice.origin)) + " ended the group: " + notice.text, group_rank(members, at_fault));
}

Notice notice_of(const Error& error, const Pending& pending, double timeout_seconds) {
  Notice notice;
  notice.origin = pending.members[static_cast<std::size_t>(pending.own_rank)];
  notice.at_fault = error.rank() < 0 ? Error::NO_RANK : pending.members[static_cast<std::size_t>(error.rank())];
  notice.code = error.code();
  notice.timeout_seconds = timeout_seconds;
  notice.pending = pending.signature;
  std::strncpy(notice.text, error.what(), sizeof notice.text - 1);
  return notice;
}

}  // namespace

void Session::wait_until(const Pending& pending, const Deadline& deadline, const std::function<bool()>& done) {
  for (int spin = 0; spin < SPINS; ++spin) {
    std::lock_guard lock(mutex_);
    require_usable();
    if (done()) return;
  }
  const auto began = Clock::now();
  auto next_notices = began;
  auto next_peers = began + PEER_INTERVAL;
  for (;;) {
    const auto now = Clock::now();
    {
      std::lock_guard lock(mutex_);
      require_usable();
      if (done()) return;
      if (now >= next_notices) {
        board_.progress();
        if (board_.first() != nullptr) throw relayed(*board_.first(), pending.members);
        next_notices = now + NOTICE_INTERVAL;
      }
      if (now >= next_peers) {
        if (ended_by_death(pending, done)) return;
        next_peers = now + PEER_INTERVAL;
      }
      if (deadline.cancelled()) throw cancelled_error(pending.own_rank, pending.signature);
      if (now >= deadline.end()) throw Error(ErrorCode::TIMEOUT, "The deadline passed.");
    }
    if (now - began < YIELD_TIME) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(NAP);
    }
  }
}

bool Session::ended_by_death(const Pending& pending, const std::function<bool()>& done) {
  const int dead = peers_.first_dead(pending.members);
  if (dead < 0) return false;
  for (const auto end = Clock::now() + GRACE; Clock::now() < end;) {
    if (done()) return true;
  }
  throw Error(ErrorCode::PEER_FAILED,
              capitalised(name_of_rank(pending.members, dead)) + " died: its process is gone, during " +
                  name_of_operation(pending.signature) + "; look at that rank's own output.",
              group_rank(pending.members, dead));
}

Error Session::fail(const Error& error, const Pending& pending, double timeout_seconds) {
  std::lock_guard lock(mutex_);
  if (failed()) return error;
  failure_ = error.what();
  const Notice* heard = board_.first();
  const bool roll_call = (heard ? heard->code : error.code()) == ErrorCode::TIMEOUT;
  if (heard == nullptr || roll_call) board_.post(notice_of(error, pending, timeout_seconds));
  const Error final_error = roll_call ? call_roll(pending, timeout_seconds) : error;
  for (const auto end = Clock::now() + DELIVERY_TIME; !board_.delivered() && Clock::now() < end;) board_.progress();
  failure_ = final_error.what();
  return final_error;
}

Error Session::call_roll(const Pending& pending, double timeout_seconds) {
  const int own = pending.members[static_cast<std::size_t>(pending.own_rank)];
  const auto silent = [&](int member) { return member != own && board_.from(member) == nullptr; };
  for (const auto end = Clock::now() + ROLL_CALL_TIME; Clock::now() < end;) {
    board_.progress();
    if (std::none_of(pending.members.begin(), pending.members.end(), silent) && board_.delivered()) break;
    std::this_thread::yield();
  }
  const Notice* first = board_.first();
  const std::string who = first ? name_of_rank(pending.members, first->origin)
                                : "rank " + std::to_string(pending.own_rank);
  std::string text = capitalised(who) + " waited " +
                     seconds_text(first ? first->timeout_seconds : timeout_seconds) + " s in " +
                     name_of_operation(first ? first->pending : pending.signature);
  int awaited = Error::NO_RANK;
  for (int member : pending.members) {
    if (member == own) continue;
    const Notice* answer = board_.from(member);
    if (answer != nullptr && answer->pending == pending.signature) continue;
    if (awaited == Error::NO_RANK || (silent(member) && !silent(pending.members[static_cast<std::size_t>(awaited)]))) {
      awaited = group_rank(pending.members, member);
    }
    text += "; " + name_of_rank(pending.members, member) +
            (answer ? " was in " + name_of_operation(answer->pending) : " did not answer the roll call");
  }
  if (awaited == Error::NO_RANK) {
    awaited = first ? group_rank(pending.members, first->origin) : Error::NO_RANK;
    text += "; all ranks answered the roll call from the same operation";
  }
  return Error(ErrorCode::TIMEOUT, text + ". Either a rank is slower than the timeout allows, or it never called it.",
               awaited);
}

}  // namespace lockstep::mpi

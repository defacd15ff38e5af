#include "transport/in_process/group.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace lockstep::in_process {
namespace {

/// Whether the two halves belong together. Collectives are matched by order alone: what they disagree about
/// is then found by comparing signatures.
bool belong_together(const Post& send, const Post& receive) {
  if (send.signature.is_point_to_point() != receive.signature.is_point_to_point()) return false;
  if (receive.peer != Transport::ANY && receive.peer != send.owner) return false;
  return !send.signature.is_point_to_point() || send.signature.tag == receive.signature.tag;
}

}  // namespace

Group::Group(int size) : wires_(std::make_shared<WireHub>(size)), members_(static_cast<std::size_t>(size)) {}

std::shared_ptr<Post> Group::post(Post half) {
  auto own = std::make_shared<Post>(std::move(half));
  Lock lock(mutex_);
  if (!own->signature.is_point_to_point()) enter(own->owner, own->signature);
  if (failure_) return own;
  std::shared_ptr<Post> other = take_other_half(*own);
  if (other == nullptr) {
    if (own->is_send && own->signature.is_point_to_point()) keep(*own);
    (own->is_send ? members_[own->peer].incoming : members_[own->owner].receives).push_back(own);
    return own;
  }
  Post& send = own->is_send ? *own : *other;
  Post& receive = own->is_send ? *other : *own;
  if (send.signature != receive.signature) {
    fail(mismatch_error(receive.owner, receive.signature, send.owner, send.signature));
  } else if (send.bytes != receive.bytes) {
    fail(length_error(send.owner, send.bytes, receive.owner, receive.bytes, send.signature));
  } else {
    carry(lock, send, receive);
  }
  return own;
}

void Group::keep(Post& send) {
  send.kept.assign(send.data, send.data + send.bytes);
  send.data = send.kept.data();
  send.done = true;
  send.matched_rank = send.peer;
}

void Group::enter(int rank, const Signature& signature) {
  if (members_[rank].current == signature) return;
  members_[rank].current = signature;
  members_[rank].entered = Deadline::Clock::now();
  for (int other = 0; other < size(); ++other) {
    const Signature& theirs = members_[other].current;
    if (theirs.sequence == signature.sequence && theirs != signature) {
      fail(mismatch_error(rank, signature, other, theirs));
    }
  }
}

std::shared_ptr<Post> Group::take_other_half(const Post& half) {
  auto& candidates = half.is_send ? members_[half.peer].receives : members_[half.owner].incoming;
  auto found = std::find_if(candidates.begin(), candidates.end(), [&](const std::shared_ptr<Post>& other) {
    return half.is_send ? belong_together(half, *other) : belong_together(*other, half);
  });
  if (found == candidates.end()) return nullptr;
  std::shared_ptr<Post> other = std::move(*found);
  candidates.erase(found);
  return other;
}

void Group::carry(Lock& lock, Post& send, Post& receive) {
  send.copying = receive.copying = true;
  ++members_[send.owner].copies;
  ++members_[receive.owner].copies;
  lock.unlock();
  if (send.bytes > 0) std::memcpy(receive.data, send.data, send.bytes);
  lock.lock();
  send.copying = receive.copying = false;
  --members_[send.owner].copies;
  --members_[receive.owner].copies;
  send.done = receive.done = true;
  send.matched_rank = receive.owner;
  receive.matched_rank = send.owner;
  members_[send.owner].changed.notify_all();
  members_[receive.owner].changed.notify_all();
}

int Group::wait(Post& post, const Deadline& deadline, Traffic& traffic) {
  std::optional<Traffic::Wait> waiting;
  std::optional<StallWatch> watch;
  Member& own = members_[post.owner];
  struct Goes {
    Member& member;
    ~Goes() { member.waiting = nullptr; }
  };
  Lock lock(mutex_);
  const Goes goes{own};
  while (true) {
    if (!post.copying) {
      std::optional<Error> error;
      if (failure_) {
        error = failure_;
      } else if (post.done) {
        return post.matched_rank;
      } else if (deadline.cancelled()) {
        error = cancelled_error(post.owner, post.signature, deadline);
      } else if (auto reason = obstacle(post.owner, post.peer, post.signature)) {
        error = reason;
      } else if (deadline.passed()) {
        error = timeout_error(post.owner, post.peer, post.signature, deadline);
      }
      if (error) {
        retire(lock, post.owner);
        throw *error;
      }
    }
    if (!waiting) {
      waiting.emplace(traffic, post.peer);
      watch.emplace(post.owner, post.signature, post.peer, deadline);
      own.waiting = &*watch;
    }
    if (watch->look() == StallWatch::Due::REPORT) watch->report(wait_reports());
    own.changed.wait_for(lock, deadline.slice());
  }
}

std::optional<Error> Group::obstacle(int rank, int awaited, const Signature& own) const {
  for (int other = 0; other < size(); ++other) {
    if (members_[other].presence == Presence::DIED) return peer_died_error(rank, other, own);
  }
  const bool gone =
      awaited == Transport::ANY ? all_others_left(rank) : members_[awaited].presence == Presence::LEFT;
  if (gone) return peer_left_error(rank, awaited, own);
  return std::nullopt;
}

bool Group::all_others_left(int rank) const {
  for (int other = 0; other < size(); ++other) {
    if (other != rank && members_[other].presence == Presence::HERE) return false;
  }
  return true;
}

void Group::retire(Lock& lock, int rank) {
  members_[rank].receives.clear();
  for (Member& member : members_) {
    // What has been kept is on its way already.
    std::erase_if(member.incoming,
                  [&](const std::shared_ptr<Post>& send) { return send->owner == rank && !send->done; });
  }
  members_[rank].changed.wait(lock, [&] { return members_[rank].copies == 0; });
}

void Group::fail(const Error& error) {
  if (!failure_) failure_ = error;
  wake_all();
}

void Group::abort(int origin, const Error& reason) {
  std::lock_guard lock(mutex_);
  fail(aborted_error(origin, reason));
}

void Group::leave(int rank, bool goodbye) {
  Lock lock(mutex_);
  if (members_[rank].presence != Presence::HERE) return;
  members_[rank].presence = goodbye ? Presence::LEFT : Presence::DIED;
  wake_all();
  retire(lock, rank);
}

bool Group::has_left(int rank) {
  std::lock_guard lock(mutex_);
  return members_[rank].presence != Presence::HERE;
}

std::shared_ptr<Group> Group::split(int rank, std::span<const int> members, const Deadline& deadline) {
  Lock lock(mutex_);
  const std::size_t number = ++members_[rank].splits;
  if (members.empty()) return nullptr;
  const std::pair key(number, std::vector<int>(members.begin(), members.end()));
  SubGroup& entry = sub_groups_[key];
  if (entry.group == nullptr) entry.group = std::make_shared<Group>(static_cast<int>(members.size()));
  std::shared_ptr<Group> group = entry.group;
  entry.arrived.push_back(rank);
  wake_all();
  Signature own;
  own.operation = Operation::SPLIT;
  own.sequence = number;
  auto has_arrived = [&](int member) {
    return std::ranges::find(entry.arrived, member) != entry.arrived.end();
  };
  while (true) {
    auto missing = std::ranges::find_if_not(members, has_arrived);
    if (missing == members.end()) break;
    if (failure_) throw *failure_;
    if (deadline.cancelled()) throw cancelled_error(rank, own, deadline);
    if (auto reason = obstacle(rank, *missing, own)) throw *reason;
    if (deadline.passed()) throw timeout_error(rank, *missing, own, deadline);
    members_[rank].changed.wait_for(lock, deadline.slice());
  }
  if (++entry.departed == members.size()) sub_groups_.erase(key);
  return group;
}

std::vector<WaitReport> Group::wait_reports() const {
  const auto now = Deadline::Clock::now();
  std::vector<WaitReport> entries(members_.size());
  for (std::size_t rank = 0; rank < members_.size(); ++rank) {
    const Member& member = members_[rank];
    if (member.waiting != nullptr) entries[rank].pending = member.waiting->pending();
    entries[rank].has_left = member.presence != Presence::HERE;
    if (member.current.sequence == 0) continue;
    entries[rank].last_seen = member.current;
    entries[rank].last_seen_seconds = Deadline::Seconds(now - member.entered).count();
  }
  return entries;
}

void Group::wake_all() {
  for (Member& member : members_) member.changed.notify_all();
}

}  // namespace lockstep::in_process

// Where the threads of one process find the groups that they join by name.

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "transport/in_process/in_process_transport.h"

namespace lockstep {
namespace {

/// A name at which ranks meet. Once all have come, the group lives on without the hub; the entry stays to
/// tell a rank that joins twice from one that joins again after it has left.
struct Meeting {
  std::shared_ptr<in_process::Group> group;
  std::weak_ptr<in_process::Group> formed;
  std::vector<bool> joined;

  bool complete() const { return std::ranges::find(joined, false) == joined.end(); }
};

struct Hub {
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, std::shared_ptr<Meeting>> meetings;
};

// Never destroyed: threads may still be joining while the process exits.
Hub& hub() {
  static Hub& instance = *new Hub;
  return instance;
}

std::string absent_ranks(const Meeting& meeting) {
  std::string text;
  for (std::size_t rank = 0; rank < meeting.joined.size(); ++rank) {
    if (!meeting.joined[rank]) text += (text.empty() ? "" : ", ") + std::to_string(rank);
  }
  return text;
}

int first_absent(const Meeting& meeting) {
  return static_cast<int>(std::ranges::find(meeting.joined, false) - meeting.joined.begin());
}

/// Whether the name stands for a group that no longer concerns `rank`.
bool is_past(const Meeting& meeting, int rank) {
  if (!meeting.complete()) return false;
  auto group = meeting.formed.lock();
  return group == nullptr || group->has_left(rank);
}

/// The meeting that `rank` takes part in: the one that is forming or, where `rank` has left the last one, a
/// new one.
std::shared_ptr<Meeting> meeting_for(Hub& all, const std::string& name, int rank, int size) {
  std::erase_if(all.meetings,
                [](const auto& entry) { return entry.second->complete() && entry.second->formed.expired(); });
  std::shared_ptr<Meeting>& entry = all.meetings[name];
  if (entry == nullptr || is_past(*entry, rank)) {
    entry = std::make_shared<Meeting>();
    entry->group = std::make_shared<in_process::Group>(size);
    entry->formed = entry->group;
    entry->joined.resize(static_cast<std::size_t>(size));
  }
  return entry;
}

}  // namespace

std::unique_ptr<Transport> join_in_process(const std::string& name, int rank, int size,
                                           const Deadline& deadline) {
  Hub& all = hub();
  std::unique_lock lock(all.mutex);
  const std::shared_ptr<Meeting> meeting = meeting_for(all, name, rank, size);
  const std::string who =
      "Rank " + std::to_string(rank) + " cannot join the in-process group '" + name + "': ";
  if (static_cast<int>(meeting->joined.size()) != size) {
    throw Error(ErrorCode::RENDEZVOUS, who + "it gives the world size as " + std::to_string(size) +
                                           ", but the ranks before it gave " +
                                           std::to_string(meeting->joined.size()) + ".");
  }
  if (meeting->joined[rank]) {
    throw Error(ErrorCode::RENDEZVOUS,
                who + "another thread has joined as that rank; give every thread its own.", rank);
  }
  const std::shared_ptr<in_process::Group> group = meeting->group;
  meeting->joined[rank] = true;
  if (meeting->complete()) {
    meeting->group.reset();
    all.changed.notify_all();
  }
  while (!meeting->complete()) {
    const bool is_interrupted = deadline.cancelled();
    if (is_interrupted || deadline.passed()) {
      const std::string absent = absent_ranks(*meeting);
      const int first = first_absent(*meeting);
      meeting->joined[rank] = false;
      if (std::ranges::find(meeting->joined, true) == meeting->joined.end()) all.meetings.erase(name);
      if (is_interrupted) throw interrupted_error(rank, "the forming of the group");
      throw Error(ErrorCode::TIMEOUT,
                  who + "the timeout passed, and these ranks have not come: " + absent + ".", first);
    }
    all.changed.wait_for(lock, deadline.slice());
  }
  return std::make_unique<InProcessTransport>(group, rank);
}

}  // namespace lockstep

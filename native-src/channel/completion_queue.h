#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>

namespace lockstep {

/// The numbers of the works of one communicator that have ended and that somebody wants to hear of.
/// Thread-safe.
class CompletionQueue {
 public:
  void push(std::int64_t id) {
    std::lock_guard lock(mutex_);
    ids_.push_back(id);
    changed_.notify_one();
  }

  /// @return 0 where none has ended within `limit`
  std::int64_t take(std::chrono::duration<double> limit) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, limit, [this] { return !ids_.empty() || closed_; });
    if (ids_.empty()) return 0;
    const std::int64_t id = ids_.front();
    ids_.pop_front();
    return id;
  }

  void close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::int64_t> ids_;
  bool closed_ = false;
};

}  // namespace lockstep

#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "channel/completion_queue.h"
#include "collective/backend/backend.h"
#include "collective/communicator/validation.h"
#include "core/clock.h"
#include "core/deadline.h"
#include "core/interruption.h"

namespace lockstep {

/// One operation that has to wait for its turn in a communicator, and how it ended.
class Work {
 public:
  explicit Work(ValidatedRequest what) : what(std::move(what)), submitted(clock_nanoseconds()) {}

  const ValidatedRequest what;
  const std::int64_t submitted;
  std::unique_ptr<Backend> child;  ///< what a SPLIT made

  /// @return as Backend::execute(), or rethrows the operation's error
  int wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return done_; });
    if (error_) throw *error_;
    return value_;
  }

  /// @return whether it has ended; false when the calling thread was interrupted before
  bool wait_unless_interrupted() {
    const InterruptionWatch interruption;
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, Deadline::POLL_INTERVAL, [this] { return done_; })) {
      if (interruption.look()) return false;
    }
    return true;
  }

  /// @return false when `limit` has passed
  bool wait_for(std::chrono::duration<double> limit) {
    const auto is_done = [this] { return done_; };
    std::unique_lock lock(mutex_);
    // An infinite limit is no time that a clock can reach.
    constexpr std::chrono::hours LONGEST{24 * 365};
    return changed_.wait_for(lock, std::min(limit, std::chrono::duration<double>(LONGEST)), is_done);
  }

  /// Puts `id` into `queue` once it has ended.
  void announce(CompletionQueue& queue, std::int64_t id) {
    std::lock_guard lock(mutex_);
    if (done_) return queue.push(id);
    completions_ = &queue;
    completion_id_ = id;
  }

  bool is_done() {
    std::lock_guard lock(mutex_);
    return done_;
  }

  void succeed(int value) { end(value, std::nullopt); }
  void fail(const Error& error) { end(0, error); }

 private:
  void end(int value, std::optional<Error> error) {
    std::lock_guard lock(mutex_);
    value_ = value;
    error_ = std::move(error);
    done_ = true;
    changed_.notify_all();
    if (completions_ != nullptr) completions_->push(completion_id_);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
  int value_ = 0;
  std::optional<Error> error_;
  CompletionQueue* completions_ = nullptr;
  std::int64_t completion_id_ = 0;
};

}  // namespace lockstep

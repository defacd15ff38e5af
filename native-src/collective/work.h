#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "collective/backend.h"
#include "collective/validation.h"
#include "core/clock.h"

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
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
  int value_ = 0;
  std::optional<Error> error_;
};

}  // namespace lockstep

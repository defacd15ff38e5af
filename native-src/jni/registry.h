#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "lockstep/error.h"

namespace lockstep {

/// Handles count up over all registries and are never reused, so that no handle can stand for two things.
inline std::atomic<std::int64_t> next_handle{1};

/// What the handles of one kind stand for. A thread that uses an object shares its ownership, so that taking
/// the handle away frees nothing under it.
template <typename T>
class Registry {
 public:
  /// @param kind for messages: "communicator"
  explicit Registry(std::string kind) : kind_(std::move(kind)) {}

  std::int64_t insert(std::shared_ptr<T> object) {
    const std::int64_t handle = next_handle.fetch_add(1, std::memory_order_relaxed);
    std::unique_lock lock(mutex_);
    objects_.emplace(handle, std::move(object));
    return handle;
  }

  /// @throws Error CLOSED, or INVALID_ARGUMENT for a number that was never a handle
  std::shared_ptr<T> find(std::int64_t handle) const {
    std::shared_lock lock(mutex_);
    auto found = objects_.find(handle);
    if (found == objects_.end()) refuse(handle);
    return found->second;
  }

  /// Takes the handle away. @return null when it is not open
  std::shared_ptr<T> remove(std::int64_t handle) {
    std::unique_lock lock(mutex_);
    auto found = objects_.find(handle);
    if (found == objects_.end()) return nullptr;
    std::shared_ptr<T> object = std::move(found->second);
    objects_.erase(found);
    return object;
  }

  [[noreturn]] void refuse(std::int64_t handle) const {
    if (handle > 0 && handle < next_handle.load(std::memory_order_relaxed)) {
      throw Error(ErrorCode::CLOSED,
                  "The " + kind_ + " with handle " + std::to_string(handle) + " has been closed.");
    }
    throw Error(ErrorCode::INVALID_ARGUMENT, "No " + kind_ + " has handle " + std::to_string(handle) + ".");
  }

 private:
  const std::string kind_;
  mutable std::shared_mutex mutex_;
  std::unordered_map<std::int64_t, std::shared_ptr<T>> objects_;
};

}  // namespace lockstep

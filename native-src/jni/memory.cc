#include "lockstep/memory.h"

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "core/memory.h"
#include "jni/boundary.h"
#include "jni/communicators.h"
#include "lockstep/error.h"
#include "lockstep/fused.h"

namespace lockstep {
namespace {

/// What is allocated now, so that a second free is found out instead of corrupting the heap.
class Allocations {
 public:
  std::int64_t insert(std::shared_ptr<std::byte> memory) {
    const auto address = reinterpret_cast<std::int64_t>(memory.get());
    std::lock_guard lock(mutex_);
    owners_.emplace(address, std::move(memory));
    return address;
  }

  std::shared_ptr<std::byte> remove(std::int64_t address) {
    std::lock_guard lock(mutex_);
    auto found = owners_.find(address);
    if (found == owners_.end()) {
      throw Error(ErrorCode::INVALID_ARGUMENT, "Address " + std::to_string(address) +
                                                   " was not allocated here, or has been freed already.");
    }
    std::shared_ptr<std::byte> owner = std::move(found->second);
    owners_.erase(found);
    return owner;
  }

 private:
  std::mutex mutex_;
  std::unordered_map<std::int64_t, std::shared_ptr<std::byte>> owners_;
};

// Never destroyed: the JVM's cleaners may still free while the process exits.
Allocations& allocations() {
  static Allocations& instance = *new Allocations;
  return instance;
}

std::size_t checked_length(std::int64_t bytes) {
  if (bytes < 0) {
    throw Error(ErrorCode::INVALID_ARGUMENT, "Cannot allocate " + std::to_string(bytes) + " bytes.");
  }
  return static_cast<std::size_t>(bytes);
}

}  // namespace

std::int64_t allocate_memory(std::int64_t bytes) {
  return at_boundary([&] { return allocations().insert(allocate_private(checked_length(bytes))); });
}

std::int64_t allocate_registered(std::int64_t communicator, std::int64_t bytes) {
  return at_boundary([&] {
    return allocations().insert(communicators().find(communicator)->allocate(checked_length(bytes)));
  });
}

std::int64_t allocate_shared(std::int64_t communicator, std::int64_t bytes) {
  return at_boundary([&] {
    return allocations().insert(communicators().find(communicator)->allocate_shared(checked_length(bytes)));
  });
}

void free_memory(std::int64_t address) {
  at_boundary([&] {
    if (address != 0) allocations().remove(address);
  });
}

}  // namespace lockstep

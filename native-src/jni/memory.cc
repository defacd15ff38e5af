#include "lockstep/memory.h"

#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <unordered_set>

#include "jni/boundary.h"
#include "lockstep/error.h"

namespace lockstep {
namespace {

// A cache line, and a whole AVX-512 register.
constexpr std::size_t ALIGNMENT = 64;

/// What is allocated now, so that a second free is found out instead of corrupting the heap.
struct Allocations {
  std::mutex mutex;
  std::unordered_set<std::int64_t> addresses;
};

// Never destroyed: the JVM's cleaners may still free while the process exits.
Allocations& allocations() {
  static Allocations& instance = *new Allocations;
  return instance;
}

}  // namespace

std::int64_t allocate_memory(std::int64_t bytes) {
  return at_boundary([&] {
    if (bytes < 0) {
      throw Error(ErrorCode::INVALID_ARGUMENT, "Cannot allocate " + std::to_string(bytes) + " bytes.");
    }
    const std::size_t lines = static_cast<std::size_t>(bytes) / ALIGNMENT + 1;
    void* memory = std::aligned_alloc(ALIGNMENT, lines * ALIGNMENT);
    if (memory == nullptr) {
      throw Error(ErrorCode::SYSTEM,
                  "There is not enough memory for a buffer of " + std::to_string(bytes) + " bytes.");
    }
    std::memset(memory, 0, lines * ALIGNMENT);
    const auto address = reinterpret_cast<std::int64_t>(memory);
    std::lock_guard lock(allocations().mutex);
    allocations().addresses.insert(address);
    return address;
  });
}

void free_memory(std::int64_t address) {
  at_boundary([&] {
    if (address == 0) return;
    {
      std::lock_guard lock(allocations().mutex);
      if (allocations().addresses.erase(address) == 0) {
        throw Error(ErrorCode::INVALID_ARGUMENT, "Address " + std::to_string(address) +
                                                     " was not allocated here, or has been freed already.");
      }
    }
    std::free(reinterpret_cast<void*>(address));
  });
}

}  // namespace lockstep

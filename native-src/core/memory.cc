#include "core/memory.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>

#include "lockstep/error.h"

namespace lockstep {
namespace {

constexpr std::size_t ALIGNMENT = 64;

}  // namespace

std::shared_ptr<std::byte> allocate_private(std::size_t bytes) {
  const std::size_t lines = bytes / ALIGNMENT + 1;
  void* const memory = lines > std::numeric_limits<std::ptrdiff_t>::max() / ALIGNMENT
                           ? nullptr
                           : std::aligned_alloc(ALIGNMENT, lines * ALIGNMENT);
  if (memory == nullptr) {
    throw Error(ErrorCode::SYSTEM,
                "There is not enough memory for a buffer of " + std::to_string(bytes) + " bytes.");
  }
  std::memset(memory, 0, lines * ALIGNMENT);
  return {static_cast<std::byte*>(memory), [](std::byte* address) { std::free(address); }};
}

}  // namespace lockstep

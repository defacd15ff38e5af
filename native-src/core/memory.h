#pragma once

#include <cstddef>
#include <memory>

namespace lockstep {

/// Zeroed memory on a 64-byte boundary; for 0 bytes a valid address of nothing.
/// @throws Error SYSTEM when there is not enough
std::shared_ptr<std::byte> allocate_private(std::size_t bytes);

}  // namespace lockstep

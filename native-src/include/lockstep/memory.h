#pragma once

/// @file
/// Memory for flat parameter and gradient buffers.

#include <cstdint>

#include "lockstep/export.h"

namespace lockstep {

/// Zeroed memory on a 64-byte boundary. The caller owns it and gives it back by free_memory().
/// @return its address; for 0 bytes a valid address of nothing
/// @throws Error SYSTEM when there is not enough memory, INVALID_ARGUMENT when bytes < 0
LOCKSTEP_API std::int64_t allocate_memory(std::int64_t bytes);

/// As allocate_memory(), for buffers that a communicator reduces often: where its ranks share memory, the
/// buffer lies in it and is reduced in place. It stays valid after the communicator is closed.
/// @throws Error SYSTEM naming the size that /dev/shm lacks; CLOSED
LOCKSTEP_API std::int64_t allocate_registered(std::int64_t communicator, std::int64_t bytes);

/// Gives memory back. An address that neither function returned, or that was freed already, raises
/// INVALID_ARGUMENT and frees nothing; 0 does nothing.
LOCKSTEP_API void free_memory(std::int64_t address);

}  // namespace lockstep

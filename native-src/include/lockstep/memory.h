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

/// Gives memory back. An address that allocate_memory() did not return, or that was freed already, raises
/// INVALID_ARGUMENT and frees nothing; 0 does nothing.
LOCKSTEP_API void free_memory(std::int64_t address);

}  // namespace lockstep

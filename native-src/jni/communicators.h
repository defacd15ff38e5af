#pragma once

#include <cstdint>
#include <memory>

#include "collective/communicator.h"
#include "jni/registry.h"

namespace lockstep {

/// All open communicators. Never destroyed: the JVM's threads may still call while the process exits.
Registry<Communicator>& communicators();

/// Gives a new communicator over `backend` its handle.
std::int64_t open_communicator(std::unique_ptr<Backend> backend, double timeout_seconds);

/// INVALID_ARGUMENT unless 0 <= rank < world_size.
void check_world(std::int32_t rank, std::int32_t world_size);

}  // namespace lockstep

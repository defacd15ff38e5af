#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "collective/communicator/communicator.h"
#include "jni/registry.h"

namespace lockstep {

/// All open communicators. Never destroyed: the JVM's threads may still call while the process exits.
Registry<Communicator>& communicators();

/// All works that have been started and not waited for. Never destroyed either.
Registry<Work>& works();

/// Gives a new communicator over `backend` its handle.
std::int64_t open_communicator(std::unique_ptr<Backend> backend, double timeout_seconds);

/// The MemorySharing with this code. @throws Error INVALID_ARGUMENT
MemorySharing memory_sharing_from(std::int32_t code);

/// As open_communicator(), for a group of processes whose hosts' ranks may share memory. Collective.
/// @param keeps_backend whether `backend` must live as long as the group even where nothing goes by it
/// @param label part of the shared memory's name
std::int64_t open_sharing(std::unique_ptr<Backend> backend, double timeout_seconds, MemorySharing sharing,
                          bool keeps_backend, const std::string& label);

/// INVALID_ARGUMENT unless 0 <= rank < world_size.
void check_world(std::int32_t rank, std::int32_t world_size);

}  // namespace lockstep

#pragma once

#include <memory>
#include <string>

#include "collective/backend/backend.h"
#include "transport/shared_memory/shared_memory.h"

namespace lockstep {

/// How a group comes to use the memory of its hosts.
struct HostOptions {
  SharedMemoryOptions memory;
  /// Whether memory that cannot be shared is an error; otherwise the group goes on without, with a warning.
  bool is_required = false;
  /// Part of the segments' names; never the job's token itself, which is a secret.
  std::string label = "job";
  /// Name of this rank's host; found out where it is empty.
  std::string host;
};

/// Collective over `flat`: finds out which ranks run on one host, lets them share memory, and makes a backend
/// that uses it. Ranks that are all on one host need `flat` no more: it is closed, unless `keeps_flat` (MPI
/// must live until the group ends). A host is what has one /dev/shm; LOCKSTEP_HOST names it otherwise
/// (containers that share one, laboratories in network namespaces).
/// @throws Error SYSTEM where memory cannot be shared but must
std::unique_ptr<Backend> share_hosts(std::unique_ptr<Backend> flat, bool keeps_flat,
                                     const HostOptions& options, const Deadline& deadline);

}  // namespace lockstep

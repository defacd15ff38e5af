#pragma once

#include "collective/backend/collective_context.h"

namespace lockstep {

struct DirectBroadcastOptions {
  const CollectiveContext& collective;
  int root;
  std::byte* data;  ///< read at the root, written elsewhere
  std::size_t count;
};

/// The other ranks copy the root's data out of its memory: out of the announcement when it is short, out of
/// the root's own buffer when that is registered, and out of its staging area, piece by piece, otherwise.
void direct_broadcast(const DirectBroadcastOptions& options);

}  // namespace lockstep

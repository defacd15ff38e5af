#pragma once

#include <memory>

#include "channel/wire.h"
#include "collective/backend/backend.h"

namespace lockstep {

/// Collective: what the channels of a group over `backend` go by. That is the backend's own wire or, where it
/// has none (MPI), TCP connections whose addresses and secret the ranks exchange by the backend's
/// collectives. So channels keep one contract everywhere: posting never blocks, from any thread, and a dead
/// peer ends its own messages only.
/// @return null for a group of one
std::unique_ptr<Wire> message_wire(Backend& backend, double timeout_seconds);

}  // namespace lockstep

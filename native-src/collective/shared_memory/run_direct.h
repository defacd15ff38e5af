#pragma once

#include "collective/backend/collective_context.h"
#include "collective/communicator/request.h"

namespace lockstep {

/// Whether a collective has a form in which each rank reads its peers' memory.
bool has_direct_form(Operation operation);

/// Carries out a collective that has_direct_form(), over a transport whose ranks share memory.
void run_direct(const Request& request, const CollectiveContext& collective);

}  // namespace lockstep

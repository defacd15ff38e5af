#pragma once

#include "collective/backend/collective_context.h"

namespace lockstep {

/// Every rank announces itself to all and awaits all.
void direct_barrier(const CollectiveContext& collective);

}  // namespace lockstep

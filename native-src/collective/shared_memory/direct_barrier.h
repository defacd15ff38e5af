#pragma once

#include "collective/backend/collective.h"

namespace lockstep {

/// Every rank announces itself to all and awaits all.
void direct_barrier(const Collective& collective);

}  // namespace lockstep

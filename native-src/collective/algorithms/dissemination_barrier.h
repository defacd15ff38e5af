#pragma once

#include "collective/backend/collective.h"

namespace lockstep {

/// In step s every rank tells rank r + 2^s that it has come and hears from rank r − 2^s; after ⌈log₂P⌉ steps
/// each has heard, at some remove, of all (D. Hensgen, R. Finkel, U. Manber, "Two algorithms for barrier
/// synchronization", Int. J. Parallel Program. 17, 1988).
void dissemination_barrier(const Collective& collective);

}  // namespace lockstep

#pragma once

#include "collective/backend/collective_context.h"

namespace lockstep {

struct RecursiveDoublingAllReduceOptions {
  const CollectiveContext& collective;
  const std::byte* input;
  std::byte* output;  ///< may be the input
  std::size_t count;
};

/// With a power of two of ranks, in step s every rank exchanges its whole vector with the rank whose number
/// differs in bit s, and both combine the two: log₂P steps, S·log₂P bytes sent per rank, the best for short
/// vectors (R. Thakur, R. Rabenseifner, W. Gropp, "Optimization of collective communication operations in
/// MPICH", Int. J. High Perform. Comput. Appl. 19, 2005, section 4.4). For other P, each of the first 2·(P −
/// 2^⌊log₂P⌋) ranks that is even first gives its vector to the next rank, which speaks for both and brings
/// the result back. The vector of the lower ranks is always the left operand, so both partners compute the
/// same bits.
void recursive_doubling_all_reduce(const RecursiveDoublingAllReduceOptions& options);

}  // namespace lockstep

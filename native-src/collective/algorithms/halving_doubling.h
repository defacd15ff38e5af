#pragma once

#include <cstddef>
#include <vector>

#include "collective/backend/collective_context.h"

namespace lockstep {

/// 2^levels ranks from `first` on; one for each bit of the number of ranks, the largest first.
struct BinaryBlock {
  int first;
  int levels;

  int ranks() const { return 1 << levels; }
};

std::vector<BinaryBlock> binary_blocks(int ranks);

/// Elements of a vector.
struct Range {
  std::size_t begin;
  std::size_t count;
};

/// What is left of `count` elements for the rank with this number in its block after `halvings` steps: bit s
/// of the number chooses the lower or the upper half in step s. So number n of a block of 2^k ranks holds
/// what the numbers n, n + 2^k, n + 2·2^k … of a larger block hold together.
Range halved_range(std::size_t count, int number, int halvings);

struct HalvingDoublingAllReduceOptions {
  const CollectiveContext& collective;
  const std::byte* input;
  std::byte* output;  ///< may be the input
  std::size_t count;
};

/// Rabenseifner's algorithm. With P = 2^k ranks, in step s = 0 … k − 1 each rank exchanges with the rank
/// whose number differs in bit s: it gives away half of the range that it still holds and adds its partner's
/// to the half that it keeps, so that each ends with the sum of 1/P of the vector. The same steps backward
/// gather the whole. 2·log₂P steps, 2(P − 1)/P of the vector sent per rank: the ring's traffic in fewer
/// messages (R. Thakur, R. Rabenseifner, W. Gropp, "Optimization of collective communication operations in
/// MPICH", Int. J. High Perform. Comput. Appl. 19, 2005, section 4.4).
///
/// Any other P is cut into binary blocks, one for each bit of P, the largest first (R. Rabenseifner, J. L.
/// Träff, "More efficient reduction algorithms for non-power-of-two number of processors in message-passing
/// parallel systems", EuroPVM/MPI 2004, section 3). Each block halves by itself; then, beginning with the
/// smallest, each hands its sums to the next larger block, whose ranks hold finer parts of the same ranges.
/// The result goes back the same way, and each block gathers by itself.
///
/// Every element is finished on one rank of the largest block and passed on, so all ranks get the same bits;
/// the operand of the lower rank is always the left one. What is reduced travels in segments, two at a time,
/// so that one is combined while the next arrives.
void halving_doubling_all_reduce(const HalvingDoublingAllReduceOptions& options);

}  // namespace lockstep

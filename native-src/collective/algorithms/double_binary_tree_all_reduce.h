#pragma once

#include "collective/backend/collective.h"

namespace lockstep {

struct DoubleBinaryTreeAllReduceOptions {
  const Collective& collective;
  const std::byte* input;
  std::byte* output;  ///< may be the input
  std::size_t count;
};

/// Each half of the vector is reduced to the root of one of two binary trees (double_binary_tree.h), segment
/// by segment, and broadcast from there. As no rank has children in both trees, each receives and sends the
/// whole vector once on the way up and once on the way down: 2·log₂P steps and the full bandwidth for long
/// vectors (Sanders, Speck, Träff 2009, section 4; the algorithm of NCCL 2.4 for many ranks). A rank combines
/// (left subtree ∘ own) ∘ right subtree, which is done once for each element, so that all ranks get the same
/// bits.
void double_binary_tree_all_reduce(const DoubleBinaryTreeAllReduceOptions& options);

}  // namespace lockstep

#pragma once

#include <array>

#include "collective/backend/collective_context.h"

namespace lockstep {

/// A rank's place in a binary tree; −1 for who is not there.
struct BinaryTree {
  int parent = -1;
  int left = -1;
  int right = -1;

  bool is_leaf() const { return left < 0; }  ///< who has one child only has a left one
};

/// A rank's places in two binary trees over P ranks, of ⌊log₂P⌋ + 1 levels each. In the first, places 1 … P
/// are numbered in order: the place x with the lowest set bit b has its children b/2 to the left and to the
/// right (or nearer, where that is beyond P), so that odd places are leaves. The second is the first with all
/// ranks moved on by one place, cyclically. So each rank is a leaf in one of them at least (P. Sanders, J.
/// Speck, J. L. Träff, "Two-tree algorithms for full bandwidth broadcast, reduction and scan", Parallel
/// Computing 35, 2009, section 3).
std::array<BinaryTree, 2> double_binary_tree(int rank, int ranks);

struct DoubleBinaryTreeAllReduceOptions {
  const CollectiveContext& collective;
  const std::byte* input;
  std::byte* output;  ///< may be the input
  std::size_t count;
};

/// Each half of the vector is reduced to the root of one of two binary trees, segment
/// by segment, and broadcast from there. As no rank has children in both trees, each receives and sends the
/// whole vector once on the way up and once on the way down: 2·log₂P steps and the full bandwidth for long
/// vectors (Sanders, Speck, Träff 2009, section 4; the algorithm of NCCL 2.4 for many ranks). A rank combines
/// (left subtree ∘ own) ∘ right subtree, which is done once for each element, so that all ranks get the same
/// bits.
void double_binary_tree_all_reduce(const DoubleBinaryTreeAllReduceOptions& options);

}  // namespace lockstep

#pragma once

#include <vector>

#include "collective/backend/collective_context.h"

namespace lockstep {

/// A rank's place in the binomial tree over P ranks with the given root. Ranks count from the root: relative
/// rank v has the children v + 2^k for every 2^k below v's lowest set bit (below P for the root), so the tree
/// has ⌈log₂P⌉ levels.
struct BinomialTree {
  int parent;                 ///< −1 at the root
  std::vector<int> children;  ///< nearest first, which are the smallest subtrees

  BinomialTree(int rank, int ranks, int root);
};

struct BinomialBroadcastOptions {
  const CollectiveContext& collective;
  int root;
  std::byte* data;  ///< read at the root, written elsewhere
  std::size_t bytes;
};

/// The root's data goes down a binomial tree: ⌈log₂P⌉ steps (Thakur, Rabenseifner, Gropp 2005, section 4.2).
/// Long data goes in segments, each passed on while the next arrives, so that the levels of the tree work at
/// the same time.
void binomial_broadcast(const BinomialBroadcastOptions& options);

struct BinomialReduceOptions {
  const CollectiveContext& collective;
  int root;
  const std::byte* input;
  std::byte* output;  ///< at the root; may be the input
  std::size_t count;
};

/// The mirror image of binomial_broadcast: every rank combines its own vector with those of its subtrees, the
/// nearest child first, and passes the result to its parent; ⌈log₂P⌉ steps (Thakur, Rabenseifner, Gropp 2005,
/// section 4.5). The order of combination follows from P and the root alone. Long vectors go in segments, so
/// that the levels of the tree work at the same time.
void binomial_reduce(const BinomialReduceOptions& options);

struct BinomialTreeAllReduceOptions {
  const CollectiveContext& collective;
  const std::byte* input;
  std::byte* output;  ///< may be the input
  std::size_t count;
};

/// binomial_reduce() to rank 0 and binomial_broadcast() from there: 2·⌈log₂P⌉
/// steps with P − 1 messages in each direction, the fewest of all, where messages or partners are dear.
void binomial_tree_all_reduce(const BinomialTreeAllReduceOptions& options);

}  // namespace lockstep

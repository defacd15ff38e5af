#pragma once

#include <cstddef>
#include <vector>

#include "collective/backend/collective_context.h"

namespace lockstep {

/// The pass that ring_reduce_scatter, ring_all_gather and ring_all_reduce are made of.
///
/// The P ranks form a ring; each sends only to rank r + 1 and receives only from rank r − 1. A vector of P
/// blocks is cut into segments; pass k handles segment k of every block. In step s = 0 … P − 2 of the
/// reducing half, rank r sends block r − 1 − s and receives block r − 2 − s, to which it adds its own part,
/// so that block r ends on rank r. In step s of the gathering half it sends block r − s and receives block r
/// − 1 − s. Each rank sends (P − 1)/P of the vector in each half, the least possible (P. Patarasuk, X. Yuan,
/// "Bandwidth optimal all-reduce algorithms for clusters of workstations", J. Parallel Distrib. Comput. 69,
/// 2009). Several passes are under way at a time, so that one is reduced while the others are on the wire. A
/// block is combined in the order of the ring, beginning with rank b + 1: the same on every run, and done
/// once, so every rank gets the same bits.
struct RingOptions {
  const CollectiveContext& collective;
  const Blocks& blocks;
  const std::byte* input = nullptr;  ///< reducing half: all blocks
  std::byte* own_block = nullptr;    ///< reducing half: where this rank's reduced block goes
  std::byte* gathered = nullptr;  ///< gathering half: all blocks, this rank's own already there or made there
  bool reduces = false;
  bool gathers = false;
};

class RingPass;

/// Passes around the ring, the first of which are posted when it is made.
class Ring {
 public:
  /// The options' context and blocks, and the context's scratch, outlive it.
  explicit Ring(const RingOptions& options);
  ~Ring();
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  /// Carries out all passes. Where two rings of one group are under way, all ranks finish the older one
  /// first.
  void finish();

  /// Bytes of a vector in which as many of the longest segments lie as there are passes under way at a time.
  static std::size_t full_bytes(std::size_t segment_bytes, int ranks);

 private:
  const RingOptions options_;
  std::size_t passes_ = 0;
  std::size_t begun_ = 0;
  std::vector<RingPass> slots_;
};

/// Carries out all passes.
void run_ring(const RingOptions& options);

struct RingReduceScatterOptions {
  const CollectiveContext& collective;
  const Blocks& blocks;
  const std::byte* input;  ///< all blocks
  std::byte* output;       ///< this rank's block
};

/// The reducing half of the ring: P − 1 steps, (P − 1)/P of the vector sent per rank.
void ring_reduce_scatter(const RingReduceScatterOptions& options);

struct RingAllGatherOptions {
  const CollectiveContext& collective;
  const Blocks& blocks;
  const std::byte* input;  ///< this rank's block
  std::byte* output;       ///< all blocks
};

/// The gathering half of the ring: P − 1 steps, each rank sends its block and passes the others
/// on.
void ring_all_gather(const RingAllGatherOptions& options);

struct RingAllReduceOptions {
  const CollectiveContext& collective;
  const std::byte* input;
  std::byte* output;  ///< may be the input
  std::size_t count;
};

/// Reduce-scatter and all-gather around the ring: 2(P − 1) steps, 2(P − 1)/P of the vector sent
/// per rank. The best for long vectors, for any P.
void ring_all_reduce(const RingAllReduceOptions& options);

/// The same, begun by its constructor and completed by finish(); what goes on in between does so while
/// messages are on the wire. The options' context outlives it.
class RingAllReduce {
 public:
  explicit RingAllReduce(const RingAllReduceOptions& options);
  void finish() { ring_.finish(); }

 private:
  const Blocks blocks_;
  Ring ring_;
};

}  // namespace lockstep

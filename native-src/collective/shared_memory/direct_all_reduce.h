#pragma once

#include "collective/backend/collective_context.h"

namespace lockstep {

struct DirectAllReduceOptions {
  const CollectiveContext& collective;
  const std::byte* input;
  std::byte* output;  ///< may be the input
  std::size_t count;
};

/// Each rank reads what it needs straight from the memory of its peers; no message is sent. In order of size:
///
/// - Short vectors travel in the announcements. Every rank combines all of them: one step.
/// - Where all ranks' buffers are registered, rank r combines slice r of all inputs and writes it to all
/// outputs:
///   two steps, nothing is copied in or out.
/// - Other vectors go through the staging areas, in pieces. Two ranks each combine the whole piece, their own
///   straight from their input: one step a piece. More ranks each combine a slice of it, which all then copy
///   out; slices of one piece are copied while those of the next are combined, so that this takes one step a
///   piece too.
///
/// Vectors are combined in the order of the ranks, by everyone alike, so every rank gets the same bits.
void direct_all_reduce(const DirectAllReduceOptions& options);

}  // namespace lockstep

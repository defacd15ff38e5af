#pragma once

#include "collective/backend/collective_context.h"

namespace lockstep {

struct DirectReduceOptions {
  const CollectiveContext& collective;
  int root;
  const std::byte* input;
  std::byte* output;  ///< at the root; may be the input
  std::size_t count;
};

/// As direct_all_reduce() by slices, which the root alone copies out. Inputs that are registered are read
/// where they are, whatever those of other ranks are.
void direct_reduce(const DirectReduceOptions& options);

}  // namespace lockstep

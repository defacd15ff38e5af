#include "collective/algorithms/ring_all_gather.h"

#include <cstring>

#include "collective/algorithms/ring.h"
#include "core/data_type.h"

namespace lockstep {

void ring_all_gather(const RingAllGatherOptions& options) {
  const Collective& collective = options.collective;
  const std::size_t element_bytes = size_of(collective.signature.type);
  const int rank = collective.rank();
  if (const std::size_t bytes = options.blocks.count(rank) * element_bytes; bytes > 0) {
    std::memcpy(options.output + options.blocks.offset(rank) * element_bytes, options.input, bytes);
  }
  run_ring({.collective = collective, .blocks = options.blocks, .gathered = options.output, .gathers = true});
}

}  // namespace lockstep

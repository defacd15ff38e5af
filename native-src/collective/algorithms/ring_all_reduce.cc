#include "collective/algorithms/ring_all_reduce.h"

#include "collective/algorithms/ring.h"
#include "core/data_type.h"

namespace lockstep {

void ring_all_reduce(const RingAllReduceOptions& options) {
  const Collective& collective = options.collective;
  const Blocks blocks = Blocks::dividing(options.count, collective.size());
  const std::size_t own_offset = blocks.offset(collective.rank()) * size_of(collective.signature.type);
  run_ring({.collective = collective,
            .blocks = blocks,
            .input = options.input,
            .own_block = options.output + own_offset,
            .gathered = options.output,
            .reduces = true,
            .gathers = true});
}

}  // namespace lockstep

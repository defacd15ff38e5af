#include "collective/algorithms/ring_reduce_scatter.h"

#include "collective/algorithms/ring.h"

namespace lockstep {

void ring_reduce_scatter(const RingReduceScatterOptions& options) {
  run_ring({.collective = options.collective,
            .blocks = options.blocks,
            .input = options.input,
            .own_block = options.output,
            .reduces = true});
}

}  // namespace lockstep

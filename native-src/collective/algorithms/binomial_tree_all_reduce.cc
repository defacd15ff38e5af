#include "collective/algorithms/binomial_tree_all_reduce.h"

#include "collective/algorithms/binomial_broadcast.h"
#include "collective/algorithms/binomial_reduce.h"
#include "core/data_type.h"

namespace lockstep {

void binomial_tree_all_reduce(const BinomialTreeAllReduceOptions& options) {
  constexpr int ROOT = 0;
  const Collective& collective = options.collective;
  binomial_reduce({collective, ROOT, options.input, options.output, options.count});
  binomial_broadcast({collective, ROOT, options.output, options.count * size_of(collective.signature.type)});
}

}  // namespace lockstep

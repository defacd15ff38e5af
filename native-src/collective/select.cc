#include "collective/select.h"

namespace lockstep {

AllReduceAlgorithm select_all_reduce(std::size_t bytes, const Tuning& tuning) {
  return bytes < tuning.recursive_doubling_below ? AllReduceAlgorithm::RECURSIVE_DOUBLING
                                                 : AllReduceAlgorithm::RING;
}

}  // namespace lockstep

#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "call.h"
#include "expected.h"

namespace lockstep::test {

/// One collective as one rank sees it: what it passes, and what must come out (nothing where the output is
/// not its).
struct Step {
  Call call;
  std::vector<std::int64_t> counts;  ///< what `call.counts` points to, in the step that was drawn
  Bytes input;
  Bytes expected;
};

inline constexpr Operation COLLECTIVES[] = {
    Operation::BROADCAST,  Operation::SCATTER,    Operation::GATHER,
    Operation::ALL_GATHER, Operation::REDUCE,     Operation::REDUCE_SCATTER,
    Operation::ALL_REDUCE, Operation::ALL_TO_ALL, Operation::BARRIER};

template <typename Range>
auto pick(std::mt19937& random, const Range& choices) {
  return choices[random() % std::size(choices)];
}

/// Draws type, reduction, root and counts of this operation, the same on every rank, and takes the view of
/// `rank`. The addresses are the caller's to fill in; `call.counts` says no more than whether there are
/// counts (a Step moves: take the address of its own).
/// @param length about how many elements each rank has
Step draw_step(std::mt19937& random, Operation operation, std::size_t length, int rank, int ranks);

}  // namespace lockstep::test

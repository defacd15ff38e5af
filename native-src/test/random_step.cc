#include "random_step.h"

#include <utility>

namespace lockstep::test {
namespace {

constexpr unsigned PATTERNS = 12;  // after which the values of expected.h repeat

/// @param begin where in the pattern of values this step begins, so that what an earlier step left is wrong
/// here
Step fill(Step step, std::size_t begin, int rank, int ranks) {
  const Call& call = step.call;
  const bool at_root = call.root_or_peer == rank;
  const std::size_t count = call.count;
  const std::size_t before = sum(step.counts, rank);
  const std::size_t total = sum(step.counts, ranks);
  switch (call.operation) {
    case Operation::BROADCAST:
      step.expected = plain(call.root_or_peer, begin, count, call.type);
      if (at_root) step.input = step.expected;
      break;
    case Operation::SCATTER:
      if (at_root) step.input = all_blocks(step.counts, call.type, begin);
      step.expected = plain(rank, begin, count, call.type);
      break;
    case Operation::GATHER:
      step.input = plain(rank, begin, count, call.type);
      if (at_root) step.expected = all_blocks(step.counts, call.type, begin);
      break;
    case Operation::ALL_GATHER:
      step.input = plain(rank, begin, count, call.type);
      step.expected = all_blocks(step.counts, call.type, begin);
      break;
    case Operation::REDUCE:
      step.input = encode(values(rank, begin, count, call.op), call.type);
      if (at_root) step.expected = reduced(ranks, begin, count, call.type, call.op);
      break;
    case Operation::REDUCE_SCATTER:
      step.input = encode(values(rank, begin, total, call.op), call.type);
      step.expected = reduced(ranks, begin + before, count, call.type, call.op);
      break;
    case Operation::ALL_REDUCE:
      step.input = encode(values(rank, begin, count, call.op), call.type);
      step.expected = reduced(ranks, begin, count, call.type, call.op);
      break;
    case Operation::ALL_TO_ALL:
      for (int other = 0; other < ranks; ++other) {
        append_all(step.input, plain(rank + 10 * other, begin, count, call.type));
        append_all(step.expected, plain(other + 10 * rank, begin, count, call.type));
      }
      break;
    default:
      break;
  }
  return step;
}

bool takes_counts(Operation operation) {
  return operation == Operation::ALL_GATHER || operation == Operation::SCATTER ||
         operation == Operation::GATHER || operation == Operation::REDUCE_SCATTER;
}

}  // namespace

Step draw_step(std::mt19937& random, Operation operation, std::size_t length, int rank, int ranks) {
  Step step;
  Call& call = step.call;
  call.operation = operation;
  call.type = pick(random, TYPES);
  call.op = pick(random, OPS);
  call.root_or_peer = static_cast<int>(random() % static_cast<unsigned>(ranks));
  const std::size_t begin = random() % PATTERNS;
  const bool uneven = random() % 2 == 1 && takes_counts(operation);
  step.counts =
      uneven ? uneven_counts(ranks, length)
             : std::vector<std::int64_t>(static_cast<std::size_t>(ranks), static_cast<std::int64_t>(length));
  call.count = static_cast<std::size_t>(step.counts[static_cast<std::size_t>(rank)]);
  step = fill(std::move(step), begin, rank, ranks);
  step.call.counts = uneven ? &step.counts : nullptr;
  return step;
}

}  // namespace lockstep::test

// A thousand random programs of mixed operations, each checked step by step.

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "call.h"
#include "collective/select.h"
#include "collective/transport_backend.h"
#include "expected.h"
#include "ranks.h"
#include "tcp_group.h"
#include "transport/tcp/tcp_transport.h"

namespace lockstep::test {
namespace {

constexpr unsigned SEEDS = 1000;
constexpr int STEPS = 6;

template <typename T, std::size_t N>
T pick(std::mt19937& random, const T (&choices)[N]) {
  return choices[random() % N];
}

constexpr Operation OPERATIONS[] = {Operation::BROADCAST,  Operation::SCATTER,    Operation::GATHER,
                                    Operation::ALL_GATHER, Operation::REDUCE,     Operation::REDUCE_SCATTER,
                                    Operation::ALL_REDUCE, Operation::ALL_TO_ALL, Operation::BARRIER};

/// One operation as one rank sees it: what it passes, and what must come out (nothing where the output is not
/// its).
struct Step {
  Call call;
  std::vector<std::int64_t> counts;
  Bytes input;
  Bytes expected;
};

Step fill(Step step, int rank, int ranks) {
  const Call& call = step.call;
  const bool at_root = call.root_or_peer == rank;
  const std::size_t count = call.count;
  const std::size_t before = sum(step.counts, rank);
  const std::size_t total = sum(step.counts, ranks);
  switch (call.operation) {
    case Operation::BROADCAST:
      step.expected = plain(call.root_or_peer, 0, count, call.type);
      if (at_root) step.input = step.expected;
      break;
    case Operation::SCATTER:
      if (at_root) step.input = all_blocks(step.counts, call.type);
      step.expected = plain(rank, 0, count, call.type);
      break;
    case Operation::GATHER:
      step.input = plain(rank, 0, count, call.type);
      if (at_root) step.expected = all_blocks(step.counts, call.type);
      break;
    case Operation::ALL_GATHER:
      step.input = plain(rank, 0, count, call.type);
      step.expected = all_blocks(step.counts, call.type);
      break;
    case Operation::REDUCE:
      step.input = encode(values(rank, 0, count, call.op), call.type);
      if (at_root) step.expected = reduced(ranks, 0, count, call.type, call.op);
      break;
    case Operation::REDUCE_SCATTER:
      step.input = encode(values(rank, 0, total, call.op), call.type);
      step.expected = reduced(ranks, before, count, call.type, call.op);
      break;
    case Operation::ALL_REDUCE:
      step.input = encode(values(rank, 0, count, call.op), call.type);
      step.expected = reduced(ranks, 0, count, call.type, call.op);
      break;
    case Operation::ALL_TO_ALL:
      for (int other = 0; other < ranks; ++other) {
        append_all(step.input, plain(rank + 10 * other, 0, count, call.type));
        append_all(step.expected, plain(other + 10 * rank, 0, count, call.type));
      }
      break;
    default:
      break;
  }
  return step;
}

/// Draws the same on every rank, then takes the view of `rank`.
Step draw(std::mt19937& random, int rank, int ranks) {
  Step step;
  Call& call = step.call;
  call.operation = pick(random, OPERATIONS);
  call.type = pick(random, TYPES);
  call.op = pick(random, OPS);
  call.root_or_peer = static_cast<int>(random() % ranks);
  const std::size_t length = random() % 300;
  const bool uneven = random() % 2 == 1;
  const bool takes_counts = call.operation == Operation::ALL_GATHER || call.operation == Operation::SCATTER ||
                            call.operation == Operation::GATHER ||
                            call.operation == Operation::REDUCE_SCATTER;
  step.counts = uneven && takes_counts ? uneven_counts(ranks, length)
                                       : std::vector<std::int64_t>(static_cast<std::size_t>(ranks),
                                                                   static_cast<std::int64_t>(length));
  call.count = static_cast<std::size_t>(step.counts[rank]);
  step = fill(std::move(step), rank, ranks);
  step.call.counts = uneven && takes_counts ? &step.counts : nullptr;
  return step;
}

void run_program(Communicator& group, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<Step> steps;
  for (int i = 0; i < STEPS; ++i) steps.push_back(draw(random, group.rank(), group.size()));
  std::vector<Bytes> outputs;
  std::vector<std::shared_ptr<Work>> works;
  for (Step& step : steps) {
    Bytes& output = outputs.emplace_back(step.expected.size());
    step.call.input = step.input.empty() ? nullptr : step.input.data();
    step.call.output = output.empty() ? nullptr : output.data();
    if (step.call.counts != nullptr) step.call.counts = &step.counts;
    // Each rank decides for itself what it does in the background: that is nobody else's business.
    if ((seed * 31 + works.size() * 7 + group.rank()) % 3 == 0) {
      works.push_back(group.start(step.call.raw()));
    } else {
      run(group, step.call);
      works.push_back(nullptr);
    }
  }
  for (int i = 0; i < STEPS; ++i) {
    if (works[i] != nullptr) works[i]->wait();
    EXPECT_EQ(outputs[i], steps[i].expected)
        << "seed " << seed << ", step " << i << ": " << name_of(steps[i].call.operation) << " of "
        << steps[i].call.count << " " << name_of(steps[i].call.type);
  }
}

/// One algorithm for short all-reduces and one for the others.
Tuning random_tuning(std::mt19937& random) {
  const auto all = algorithms_of(Operation::ALL_REDUCE);
  return {.segment_bytes = 1 + random() % 300,
          .rows = {{.algorithm = all[random() % all.size()], .below_bytes = 1 + random() % 600},
                   {.algorithm = all[random() % all.size()]}}};
}

TEST(Programs, OfRandomOperationsGiveWhatTheirDefinitionSays) {
  for (unsigned seed = 0; seed < SEEDS && !HasFailure(); ++seed) {
    std::mt19937 random(seed);
    const int ranks = 2 + static_cast<int>(random() % 4);
    const Tuning tuning = random_tuning(random);
    run_with_communicators(ranks, tuning, PATIENCE, [&](Communicator& group) { run_program(group, seed); });
  }
}

TEST(Programs, GiveTheSameOverTcp) {
  for (unsigned seed = 0; seed < 20 && !HasFailure(); ++seed) {
    const int ranks = 2 + static_cast<int>(seed % 3);
    const int port = free_port();
    run_as_ranks(ranks, [&](int rank) {
      TcpOptions options;
      options.rank = rank;
      options.world_size = ranks;
      options.master_address = "127.0.0.1";
      options.master_port = port;
      options.timeout_seconds = PATIENCE;
      std::mt19937 random(seed);
      const Tuning tuning = random_tuning(random);
      Communicator group(make_backend(connect_tcp(options), tuning), PATIENCE);
      run_program(group, seed);
      const auto child = group.split(rank % 2, 0);
      run_program(*child, seed);
    });
  }
}

}  // namespace
}  // namespace lockstep::test

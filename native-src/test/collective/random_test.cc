// A thousand random programs of mixed operations, each checked step by step.

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "call.h"
#include "collective/backend/transport_backend.h"
#include "collective/choice/select.h"
#include "random_step.h"
#include "ranks.h"
#include "sanitized.h"
#include "tcp_group.h"
#include "transport/tcp/mesh/tcp_transport.h"

namespace lockstep::test {
namespace {

constexpr unsigned SEEDS = IS_SANITIZED ? 300 : 1000;
constexpr int STEPS = 6;

void run_program(Communicator& group, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<Step> steps;
  for (int i = 0; i < STEPS; ++i) {
    const Operation operation = pick(random, COLLECTIVES);
    steps.push_back(draw_step(random, operation, random() % 300, group.rank(), group.size()));
  }
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

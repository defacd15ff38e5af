// How algorithms are chosen, chosen by hand and reported, and what happens when ranks choose differently.

#include "collective/choice/select.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "call.h"
#include "collective/algorithms/double_binary_tree.h"
#include "collective/algorithms/halving_doubling.h"
#include "collective/backend/transport_backend.h"
#include "collective/choice/algorithm.h"
#include "ranks.h"

namespace lockstep::test {
namespace {

const auto ALL_REDUCES = algorithms_of(Operation::ALL_REDUCE);

Algorithm choose(std::size_t bytes, Topology topology, const Tuning& tuning) {
  return select(Operation::ALL_REDUCE, bytes, topology, tuning, ALL_REDUCES);
}

TEST(Selection, TakesTheFirstRowThatFits) {
  const Tuning tuning{.rows = {
                          {.operation = Operation::BROADCAST, .algorithm = Algorithm::BINOMIAL_TREE},
                          {.algorithm = Algorithm::RECURSIVE_DOUBLING, .below_bytes = 100},
                          {.algorithm = Algorithm::HALVING_DOUBLING, .ranks = {2, 4}},
                          {.algorithm = Algorithm::BINOMIAL_TREE, .hosts = {1, 1}},
                          {.algorithm = Algorithm::DOUBLE_BINARY_TREE, .below_bytes = 1000},
                      }};
  EXPECT_EQ(choose(99, {8, 8}, tuning), Algorithm::RECURSIVE_DOUBLING);
  EXPECT_EQ(choose(100, {4, 1}, tuning), Algorithm::HALVING_DOUBLING);
  EXPECT_EQ(choose(100, {5, 1}, tuning), Algorithm::BINOMIAL_TREE);
  EXPECT_EQ(choose(100, {5, 2}, tuning), Algorithm::DOUBLE_BINARY_TREE);
  EXPECT_EQ(choose(100, {5, UNKNOWN_HOSTS}, tuning), Algorithm::DOUBLE_BINARY_TREE);
  EXPECT_EQ(choose(1000, {5, 2}, tuning), Algorithm::RING) << "what is always right";
}

TEST(Selection, PassesOverWhatTheBackendDoesNotHave) {
  const Tuning tuning{
      .rows = {{.algorithm = Algorithm::DIRECT}, {.algorithm = Algorithm::RECURSIVE_DOUBLING}}};
  EXPECT_EQ(choose(1, {2, 1}, tuning), Algorithm::RECURSIVE_DOUBLING);
  const std::vector<Algorithm> with_direct{Algorithm::RING, Algorithm::DIRECT};
  EXPECT_EQ(select(Operation::ALL_REDUCE, 1, {2, 1}, tuning, with_direct), Algorithm::DIRECT);
}

TEST(Selection, GoesFromFewMessagesToFewBytesByDefault) {
  const Tuning tuning;
  const std::size_t mib = 1 << 20;
  EXPECT_EQ(choose(8, {2, UNKNOWN_HOSTS}, tuning), Algorithm::RECURSIVE_DOUBLING);
  EXPECT_EQ(choose(mib, {2, UNKNOWN_HOSTS}, tuning), Algorithm::RING);
  EXPECT_EQ(choose(mib, {8, 2}, tuning), Algorithm::HALVING_DOUBLING);
  EXPECT_EQ(choose(mib, {9, 2}, tuning), Algorithm::RING);
  EXPECT_EQ(choose(64 * mib, {8, 2}, tuning), Algorithm::RING);
  const auto with_memory = algorithms_with_shared_memory(Operation::ALL_REDUCE);
  EXPECT_EQ(select(Operation::ALL_REDUCE, 8, {2, 1}, tuning, with_memory), Algorithm::DIRECT);
}

/// All-reduces 1000 ones and expects as many as there are ranks.
void check_all_reduce(Communicator& group) {
  std::vector<std::int32_t> data(1000, 1);
  run(group, {.operation = Operation::ALL_REDUCE,
              .type = DataType::I32,
              .input = data.data(),
              .output = data.data(),
              .count = data.size()});
  EXPECT_EQ(data, std::vector<std::int32_t>(1000, group.size()));
}

TEST(ChosenAlgorithm, GoesBeforeTheTuningUntilItIsTakenBack) {
  run_with_communicators(3, tuning_for(Algorithm::RING, 100), PATIENCE, [](Communicator& group) {
    check_all_reduce(group);
    EXPECT_EQ(group.last_algorithm(), Algorithm::RING);
    for (Algorithm algorithm : ALL_REDUCES) {
      group.use_algorithm(Operation::ALL_REDUCE, algorithm);
      check_all_reduce(group);
      EXPECT_EQ(group.last_algorithm(), algorithm);
    }
    group.use_algorithm(Operation::ALL_REDUCE, std::nullopt);
    check_all_reduce(group);
    EXPECT_EQ(group.last_algorithm(), Algorithm::RING);
  });
}

TEST(ChosenAlgorithm, IsThatOfGroupsThatAreSplitOff) {
  run_with_communicators(4, {}, PATIENCE, [](Communicator& group) {
    group.use_algorithm(Operation::ALL_REDUCE, Algorithm::DOUBLE_BINARY_TREE);
    const auto half = group.split(group.rank() % 2, 0);
    check_all_reduce(*half);
    EXPECT_EQ(half->last_algorithm(), Algorithm::DOUBLE_BINARY_TREE);
  });
}

TEST(ChosenAlgorithm, IsRefusedWhereTheOperationDoesNotHaveIt) {
  run_with_communicators(2, {}, PATIENCE, [](Communicator& group) {
    const Error error =
        error_of([&] { group.use_algorithm(Operation::ALL_REDUCE, Algorithm::DISSEMINATION); });
    EXPECT_EQ(error.code(), ErrorCode::INVALID_ARGUMENT);
    EXPECT_STREQ(error.what(),
                 "This group has no dissemination for all-reduce; it has ring, recursive-doubling, "
                 "halving-doubling, binomial-tree, double-binary-tree.");
    EXPECT_EQ(error_of([&] { group.use_algorithm(Operation::SEND, Algorithm::RING); }).code(),
              ErrorCode::INVALID_ARGUMENT);
    check_all_reduce(group);  // The group is as it was.
  });
}

TEST(ChosenAlgorithm, ThatDiffersAmongRanksIsFoundOut) {
  run_with_communicators(2, {}, PATIENCE, [](Communicator& group) {
    group.use_algorithm(Operation::ALL_REDUCE,
                        group.rank() == 0 ? Algorithm::RING : Algorithm::HALVING_DOUBLING);
    std::vector<float> data(2);
    const Error error = error_of([&] {
      run(group, {.operation = Operation::ALL_REDUCE,
                  .type = DataType::F32,
                  .input = data.data(),
                  .output = data.data(),
                  .count = 2});
    });
    EXPECT_EQ(error.code(), ErrorCode::MISMATCH);
    EXPECT_NE(std::string(error.what()).find("halving-doubling"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("must be equal on all ranks"), std::string::npos)
        << error.what();
  });
}

TEST(LastAlgorithm, IsReportedForEveryCollective) {
  run_with_communicators(2, {}, PATIENCE, [](Communicator& group) {
    EXPECT_EQ(group.last_algorithm(), Algorithm::NONE);
    std::vector<std::uint8_t> in(2);
    std::vector<std::uint8_t> out(2);
    auto used = [&](Operation operation) {
      run(group, {.operation = operation, .input = in.data(), .output = out.data(), .count = 1});
      return group.last_algorithm();
    };
    EXPECT_EQ(used(Operation::BROADCAST), Algorithm::BINOMIAL_TREE);
    EXPECT_EQ(used(Operation::REDUCE), Algorithm::BINOMIAL_TREE);
    EXPECT_EQ(used(Operation::SCATTER), Algorithm::LINEAR);
    EXPECT_EQ(used(Operation::GATHER), Algorithm::LINEAR);
    EXPECT_EQ(used(Operation::ALL_GATHER), Algorithm::RING);
    EXPECT_EQ(used(Operation::REDUCE_SCATTER), Algorithm::RING);
    EXPECT_EQ(used(Operation::ALL_TO_ALL), Algorithm::PAIRWISE);
    EXPECT_EQ(used(Operation::BARRIER), Algorithm::DISSEMINATION);
    const int peer = 1 - group.rank();
    run(group, {.operation = group.rank() == 0 ? Operation::SEND : Operation::RECEIVE,
                .root_or_peer = peer,
                .input = in.data(),
                .output = out.data(),
                .count = 1});
    EXPECT_EQ(group.last_algorithm(), Algorithm::DISSEMINATION) << "messages are beside the collectives";
  });
}

TEST(TuningOfAGroup, IsThatOfRankZero) {
  run_with_communicators(3, {}, PATIENCE, [](Communicator& group) {
    const std::string own =
        group.rank() == 0 ? "lockstep-tuning 1\nall-reduce * * * double-binary-tree\n" : "";
    group.use_tuning(own, "a.tuning");
    check_all_reduce(group);
    EXPECT_EQ(group.last_algorithm(), Algorithm::DOUBLE_BINARY_TREE);
    group.use_tuning("", "");
    check_all_reduce(group);
    EXPECT_EQ(group.last_algorithm(), Algorithm::RECURSIVE_DOUBLING) << "the defaults again";
  });
}

TEST(TuningOfAGroup, ThatIsWrongOnRankZeroIsRefusedOnAllRanks) {
  run_with_communicators(3, {}, PATIENCE, [](Communicator& group) {
    const std::string own = group.rank() == 0 ? "lockstep-tuning 1\nall-reduce * * * magic\n" : "";
    const Error error = error_of([&] { group.use_tuning(own, group.rank() == 0 ? "a.tuning" : ""); });
    EXPECT_EQ(error.code(), ErrorCode::INVALID_ARGUMENT);
    EXPECT_STREQ(error.what(), "Tuning a.tuning, line 2: `magic` is no algorithm.");
    check_all_reduce(group);
  });
}

TEST(BinaryBlocks, AreTheBitsOfTheNumberOfRanks) {
  for (int ranks = 1; ranks <= 40; ++ranks) {
    int next = 0;
    int last_levels = 31;
    for (const BinaryBlock& block : binary_blocks(ranks)) {
      EXPECT_EQ(block.first, next);
      EXPECT_LT(block.levels, last_levels);
      next += block.ranks();
      last_levels = block.levels;
    }
    EXPECT_EQ(next, ranks);
  }
}

TEST(DoubleBinaryTree, HasEveryRankAsALeafInOneTreeAtLeast) {
  for (int ranks = 1; ranks <= 70; ++ranks) {
    for (int tree = 0; tree < 2; ++tree) {
      int roots = 0;
      for (int rank = 0; rank < ranks; ++rank) {
        const auto places = double_binary_tree(rank, ranks);
        EXPECT_TRUE(places[0].is_leaf() || places[1].is_leaf()) << rank << " of " << ranks;
        for (int child : {places[tree].left, places[tree].right}) {
          if (child < 0) continue;
          EXPECT_EQ(double_binary_tree(child, ranks)[tree].parent, rank);
        }
        int levels = 1;
        int up = rank;
        while (levels <= ranks && double_binary_tree(up, ranks)[tree].parent >= 0) {
          const int parent = double_binary_tree(up, ranks)[tree].parent;
          const BinaryTree place = double_binary_tree(parent, ranks)[tree];
          EXPECT_TRUE(place.left == up || place.right == up) << rank << " of " << ranks;
          up = parent;
          ++levels;
        }
        EXPECT_LE(1 << (levels - 1), ranks) << "levels above rank " << rank;
        if (levels == 1) ++roots;
      }
      EXPECT_EQ(roots, 1) << ranks << " ranks";
    }
  }
}

}  // namespace
}  // namespace lockstep::test

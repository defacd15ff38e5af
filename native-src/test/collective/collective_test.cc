// Every collective but all-reduce, over every type and operation, group size and length, against its
// definition.

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <tuple>
#include <vector>

#include "call.h"
#include "expected.h"
#include "ranks.h"
#include "typed_data.h"

namespace lockstep::test {
namespace {

// Small enough for the lengths below to need several segments, and not a multiple of any element's length.
const Tuning SMALL_SEGMENTS{.segment_bytes = 1001};

constexpr std::size_t LENGTHS[] = {0, 1, 3, 1000, 5001};

/// All types and operations, each with all lengths.
std::vector<std::tuple<DataType, ReduceOp, std::size_t>> cases() {
  std::vector<std::tuple<DataType, ReduceOp, std::size_t>> all;
  for (DataType type : TYPES) {
    for (ReduceOp op : OPS) {
      for (std::size_t count : LENGTHS) all.emplace_back(type, op, count);
    }
  }
  return all;
}

/// All types, with all lengths of blocks, alike (false) and uneven (true).
std::vector<std::tuple<DataType, std::vector<std::int64_t>, bool>> block_cases(int ranks) {
  std::vector<std::tuple<DataType, std::vector<std::int64_t>, bool>> all;
  for (DataType type : TYPES) {
    for (std::size_t count : LENGTHS) {
      all.emplace_back(
          type, std::vector<std::int64_t>(static_cast<std::size_t>(ranks), static_cast<std::int64_t>(count)),
          false);
      all.emplace_back(type, uneven_counts(ranks, count), true);
    }
  }
  return all;
}

class Collectives : public testing::TestWithParam<int> {
 protected:
  int ranks() const { return GetParam(); }

  template <typename Body>
  void on_every_rank(const Tuning& tuning, Body body) {
    run_with_communicators(ranks(), tuning, PATIENCE, body);
  }
};

INSTANTIATE_TEST_SUITE_P(Ranks, Collectives, testing::Values(1, 2, 3, 4, 5, 8));

TEST_P(Collectives, ReduceCombinesAtTheRootOnly) {
  on_every_rank(SMALL_SEGMENTS, [](Communicator& group) {
    for (auto [type, op, count] : cases()) {
      SCOPED_TRACE(name_of(type) + " " + name_of(op) + " " + std::to_string(count));
      const int root = static_cast<int>(count) % group.size();
      const bool at_root = group.rank() == root;
      const Bytes expected = reduced(group.size(), 0, count, type, op);
      const Bytes input = encode(values(group.rank(), 0, count, op), type);
      Bytes buffer = input;
      Call call{.operation = Operation::REDUCE, .type = type, .op = op, .root_or_peer = root, .count = count};
      call.input = buffer.data();
      call.output = at_root ? buffer.data() : nullptr;
      run(group, call);
      EXPECT_EQ(buffer, at_root ? expected : input) << "in place";
      Bytes output(input.size());
      call.input = input.data();
      call.output = at_root ? output.data() : nullptr;
      run(group, call);
      EXPECT_EQ(output, at_root ? expected : Bytes(input.size()));
    }
  });
}

TEST_P(Collectives, ReduceScatterLeavesEachRankItsBlock) {
  on_every_rank(SMALL_SEGMENTS, [](Communicator& group) {
    for (auto [type, op, count] : cases()) {
      SCOPED_TRACE(name_of(type) + " " + name_of(op) + " " + std::to_string(count));
      const Bytes input = encode(values(group.rank(), 0, count * group.size(), op), type);
      Bytes output(count * size_of(type));
      run(group, {.operation = Operation::REDUCE_SCATTER,
                  .type = type,
                  .op = op,
                  .input = input.data(),
                  .output = output.data(),
                  .count = count});
      EXPECT_EQ(output, reduced(group.size(), group.rank() * count, count, type, op));
    }
  });
}

TEST_P(Collectives, ReduceScatterTakesUnevenBlocks) {
  on_every_rank(SMALL_SEGMENTS, [](Communicator& group) {
    for (std::size_t length : LENGTHS) {
      const auto counts = uneven_counts(group.size(), length);
      const auto own = static_cast<std::size_t>(counts[group.rank()]);
      const DataType type = DataType::I32;
      const Bytes input = encode(values(group.rank(), 0, sum(counts, group.size()), ReduceOp::SUM), type);
      Bytes output(own * size_of(type));
      run(group, {.operation = Operation::REDUCE_SCATTER,
                  .type = type,
                  .input = input.data(),
                  .output = output.data(),
                  .count = own,
                  .counts = &counts});
      EXPECT_EQ(output, reduced(group.size(), sum(counts, group.rank()), own, type, ReduceOp::SUM));
    }
  });
}

TEST_P(Collectives, BroadcastGivesTheRootsDataToAll) {
  on_every_rank(SMALL_SEGMENTS, [](Communicator& group) {
    for (DataType type : TYPES) {
      for (std::size_t count : LENGTHS) {
        const int root = static_cast<int>(count + 1) % group.size();
        const Bytes expected = plain(root, 0, count, type);
        for (bool in_place : {true, false}) {
          Bytes output(expected.size());
          if (in_place && group.rank() == root) output = expected;
          const void* input = in_place ? output.data() : expected.data();
          run(group, {.operation = Operation::BROADCAST,
                      .type = type,
                      .root_or_peer = root,
                      .input = group.rank() == root ? input : nullptr,
                      .output = output.data(),
                      .count = count});
          EXPECT_EQ(output, expected) << name_of(type) << " " << count;
        }
      }
    }
  });
}

TEST_P(Collectives, ScatterGivesEachRankItsBlock) {
  on_every_rank(SMALL_SEGMENTS, [](Communicator& group) {
    for (auto [type, counts, uneven] : block_cases(group.size())) {
      const int root = group.size() - 1;
      const bool at_root = group.rank() == root;
      const auto own = static_cast<std::size_t>(counts[group.rank()]);
      const Bytes input = all_blocks(counts, type);
      Bytes output(own * size_of(type));
      run(group, {.operation = Operation::SCATTER,
                  .type = type,
                  .root_or_peer = root,
                  .input = at_root ? input.data() : nullptr,
                  .output = output.data(),
                  .count = own,
                  .counts = at_root && uneven ? &counts : nullptr});
      EXPECT_EQ(output, plain(group.rank(), 0, own, type));
    }
  });
}

TEST_P(Collectives, GatherCollectsTheBlocksAtTheRoot) {
  on_every_rank(SMALL_SEGMENTS, [](Communicator& group) {
    for (auto [type, counts, uneven] : block_cases(group.size())) {
      const int root = group.size() / 2;
      const bool at_root = group.rank() == root;
      const auto own = static_cast<std::size_t>(counts[group.rank()]);
      const Bytes input = plain(group.rank(), 0, own, type);
      const Bytes expected = at_root ? all_blocks(counts, type) : Bytes();
      Bytes output(expected.size());
      run(group, {.operation = Operation::GATHER,
                  .type = type,
                  .root_or_peer = root,
                  .input = input.data(),
                  .output = at_root ? output.data() : nullptr,
                  .count = own,
                  .counts = at_root && uneven ? &counts : nullptr});
      EXPECT_EQ(output, expected);
    }
  });
}

TEST_P(Collectives, AllGatherCollectsTheBlocksEverywhere) {
  on_every_rank(SMALL_SEGMENTS, [](Communicator& group) {
    for (auto [type, counts, uneven] : block_cases(group.size())) {
      const auto own = static_cast<std::size_t>(counts[group.rank()]);
      const Bytes input = plain(group.rank(), 0, own, type);
      const Bytes expected = all_blocks(counts, type);
      Bytes output(expected.size());
      run(group, {.operation = Operation::ALL_GATHER,
                  .type = type,
                  .input = input.data(),
                  .output = output.data(),
                  .count = own,
                  .counts = uneven ? &counts : nullptr});
      EXPECT_EQ(output, expected);
    }
  });
}

TEST_P(Collectives, AllToAllTransposesTheBlocks) {
  on_every_rank(SMALL_SEGMENTS, [](Communicator& group) {
    for (DataType type : TYPES) {
      for (std::size_t count : LENGTHS) {
        Bytes input;
        Bytes expected;
        for (int other = 0; other < group.size(); ++other) {
          append_all(input, plain(group.rank() + 10 * other, 0, count, type));
          append_all(expected, plain(other + 10 * group.rank(), 0, count, type));
        }
        Bytes output(expected.size());
        run(group, {.operation = Operation::ALL_TO_ALL,
                    .type = type,
                    .input = input.data(),
                    .output = output.data(),
                    .count = count});
        EXPECT_EQ(output, expected);
      }
    }
  });
}

TEST_P(Collectives, BarrierHoldsAllUntilTheLastHasCome) {
  std::atomic<int> arrived{0};
  on_every_rank(SMALL_SEGMENTS, [&](Communicator& group) {
    for (int round = 1; round <= 50; ++round) {
      ++arrived;
      run(group, {.operation = Operation::BARRIER});
      EXPECT_GE(arrived.load(), round * group.size());
      run(group, {.operation = Operation::BARRIER});
    }
  });
}

}  // namespace
}  // namespace lockstep::test

// What goes wrong at the edges of a group: too large numbers, disagreement, memory of ranks that have left.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "call.h"
#include "collective/backend/transport_backend.h"
#include "collective/choice/select.h"
#include "lockstep/gradient.h"
#include "ranks.h"
#include "transport/shared_memory/shared_memory.h"

namespace lockstep::test {
namespace {

std::vector<std::uint16_t> halves(float value, std::size_t count) {
  std::vector<float> wide(count, value);
  std::vector<std::uint16_t> narrow(count);
  convert(reinterpret_cast<std::int64_t>(wide.data()), static_cast<int>(DataType::F32),
          reinterpret_cast<std::int64_t>(narrow.data()), static_cast<int>(DataType::F16),
          static_cast<std::int64_t>(count));
  return narrow;
}

class AverageOfHalves : public testing::TestWithParam<Algorithm> {};

// 8 × 10,000 is beyond the largest binary16, 65,504.
TEST_P(AverageOfHalves, DoesNotOverflowWhereTheSumWould) {
  constexpr int RANKS = 8;
  constexpr std::size_t COUNT = 37;
  run_with_communicators(RANKS, tuning_for(GetParam(), 16), PATIENCE, [](Communicator& group) {
    const std::vector<std::uint16_t> expected = halves(10'000, COUNT);
    std::vector<std::uint16_t> data = expected;
    run(group, {.operation = Operation::ALL_REDUCE,
                .type = DataType::F16,
                .op = ReduceOp::AVERAGE,
                .input = data.data(),
                .output = data.data(),
                .count = COUNT});
    EXPECT_EQ(data, expected);
    std::vector<std::uint16_t> reduced(COUNT);
    run(group, {.operation = Operation::REDUCE,
                .type = DataType::F16,
                .op = ReduceOp::AVERAGE,
                .root_or_peer = 3,
                .input = expected.data(),
                .output = reduced.data(),
                .count = COUNT});
    if (group.rank() == 3) {
      EXPECT_EQ(reduced, expected);
    }
    const std::vector<std::uint16_t> all = halves(10'000, COUNT * RANKS);
    std::vector<std::uint16_t> share(COUNT);
    run(group, {.operation = Operation::REDUCE_SCATTER,
                .type = DataType::F16,
                .op = ReduceOp::AVERAGE,
                .input = all.data(),
                .output = share.data(),
                .count = COUNT});
    EXPECT_EQ(share, expected);
  });
}

INSTANTIATE_TEST_SUITE_P(By, AverageOfHalves,
                         testing::Values(Algorithm::RING, Algorithm::RECURSIVE_DOUBLING,
                                         Algorithm::HALVING_DOUBLING, Algorithm::BINOMIAL_TREE,
                                         Algorithm::DOUBLE_BINARY_TREE),
                         [](const auto& info) {
                           return "Algorithm" + std::to_string(static_cast<int>(info.param));
                         });

TEST(SharedBuffers, OfDifferentSizesAreAMismatchAndTheGroupGoesOn) {
  run_as_ranks(2, [](int rank) {
    auto transport = join_in_process_only("", rank, 2);
    Communicator group(make_backend(share_memory_of(*transport, SMALL_PIECES)), PATIENCE);
    transport->close();
    const Error error = error_of([&] { group.allocate_shared(rank == 0 ? 1 << 20 : 2 << 20); });
    EXPECT_EQ(error.code(), ErrorCode::MISMATCH);
    EXPECT_EQ(error.rank(), 1);
    run(group, {.operation = Operation::BARRIER});
    EXPECT_NE(group.allocate_shared(4096), nullptr);
  });
}

TEST(SharedBuffers, GoBackOnceAllRanksHaveFreedThem) {
  run_as_ranks(2, [](int rank) {
    auto transport = join_in_process_only("", rank, 2);
    Communicator group(make_backend(share_memory_of(*transport, SMALL_PIECES)), PATIENCE);
    transport->close();
    std::shared_ptr<std::byte> buffer = group.allocate_shared(1 << 20);
    const std::byte* const first = buffer.get();
    if (group.rank() == 0) std::memset(buffer.get(), 7, 1 << 20);
    run(group, {.operation = Operation::BARRIER});
    if (group.rank() == 1) buffer.reset();
    run(group, {.operation = Operation::BARRIER});
    std::shared_ptr<std::byte> other = group.allocate_shared(4096);
    EXPECT_NE(other.get(), first) << "rank 0 still uses the first";
    run(group, {.operation = Operation::BARRIER});
    buffer.reset();
    run(group, {.operation = Operation::BARRIER});
    buffer = group.allocate_shared(1 << 20);
    EXPECT_EQ(buffer.get(), first);
    EXPECT_EQ(buffer.get()[12'345], std::byte{0});
    run(group, {.operation = Operation::BARRIER});
  });
}

TEST(UnevenBlocks, ThatDisagreeAcrossTheBorderOfShortOnesNameTheLengthsThatWereSent) {
  run_as_ranks(2, [](int rank) {
    auto transport = join_in_process_only("", rank, 2);
    Communicator group(make_backend(share_memory_of(*transport, SMALL_PIECES)), PATIENCE);
    transport->close();
    const std::vector<std::int64_t> counts{1, rank == 0 ? 1 : 200};
    const std::vector<float> own(200);
    std::vector<float> all(201);
    const Error error = error_of([&] {
      run(group, {.operation = Operation::ALL_GATHER,
                  .type = DataType::F32,
                  .input = own.data(),
                  .output = all.data(),
                  .count = static_cast<std::size_t>(counts[static_cast<std::size_t>(rank)]),
                  .counts = &counts});
    });
    EXPECT_EQ(error.code(), ErrorCode::MISMATCH);
    if (rank == 0) {
      EXPECT_NE(std::string(error.what()).find("sent 800 bytes"), std::string::npos) << error.what();
    }
  });
}

TEST(ChosenAlgorithmsOfEveryOperation, HaveAPlace) {
  struct {
    ChosenAlgorithms chosen;
    std::uint64_t behind = 0x5a5a5a5a5a5a5a5a;
  } guarded;
  guarded.chosen.set(Operation::REDUCE_STEP, std::nullopt, {});
  EXPECT_FALSE(guarded.chosen.get(Operation::REDUCE_STEP));
  EXPECT_EQ(guarded.behind, 0x5a5a5a5a5a5a5a5a);
}

// A rank that leaves in the middle of a registered all-reduce may use its memory as it likes from then on.
TEST(RegisteredMemory, IsNotWrittenByPeersAfterItsOwnersOperationHasFailed) {
  constexpr int ROUNDS = 30;
  constexpr std::size_t COUNT = std::size_t{1} << 20;
  for (int round = 0; round < ROUNDS; ++round) {
    std::atomic<int> begun{0};
    std::latch peer_has_ended(1);
    run_as_ranks(2, [&](int rank) {
      auto transport = join_in_process_only(std::to_string(round), rank, 2);
      Communicator group(make_backend(share_memory_of(*transport, {})), PATIENCE);
      transport->close();
      const std::shared_ptr<std::byte> memory = group.allocate(COUNT * sizeof(float));
      auto* data = reinterpret_cast<float*>(memory.get());
      std::thread closer;
      if (rank == 0) {
        closer = std::thread([&] {
          for (int seen = 0; seen <= round % 4; seen = begun.load()) begun.wait(seen);
          group.close();
        });
      }
      try {
        for (;;) {
          if (rank == 0) {
            begun.fetch_add(1);
            begun.notify_all();
          }
          run(group, {.operation = Operation::ALL_REDUCE,
                      .type = DataType::F32,
                      .input = data,
                      .output = data,
                      .count = COUNT});
        }
      } catch (const Error& error) {
        EXPECT_TRUE(error.code() == ErrorCode::CLOSED || error.code() == ErrorCode::PEER_FAILED)
            << error.what();
      }
      if (rank == 1) {
        peer_has_ended.count_down();
      } else {
        closer.join();
        std::fill_n(data, COUNT, 7.0F);
        peer_has_ended.wait();  // what it wrote late would be here by then
        EXPECT_EQ(std::count(data, data + COUNT, 7.0F), static_cast<std::ptrdiff_t>(COUNT));
      }
    });
  }
}

}  // namespace
}  // namespace lockstep::test

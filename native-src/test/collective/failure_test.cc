// Ranks that disagree, die, come late or leave: every rank learns of it, by the right error, in time.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <string>
#include <vector>

#include "call.h"
#include "collective/backend/transport_backend.h"
#include "ranks.h"

namespace lockstep::test {
namespace {

/// An all-reduce of 4 elements in the calling rank's own memory.
struct SmallAllReduce {
  std::int32_t data[4] = {1, 2, 3, 4};
  Call call{
      .operation = Operation::ALL_REDUCE, .type = DataType::I32, .input = data, .output = data, .count = 4};
};

struct Disagreement {
  std::string name;
  Call of_rank_0;
  Call of_others;
  std::string view_of_rank_0;
  std::string view_of_others;
};

class Mismatches : public testing::TestWithParam<std::tuple<int, Disagreement>> {};

Call with(Operation operation, DataType type = DataType::I32, ReduceOp op = ReduceOp::SUM, int root = 0,
          std::size_t count = 4) {
  return {.operation = operation, .type = type, .op = op, .root_or_peer = root, .count = count};
}

const Disagreement DISAGREEMENTS[] = {
    {"Operation", with(Operation::ALL_REDUCE), with(Operation::BROADCAST), "all-reduce #1", "broadcast #1"},
    {"Barrier", with(Operation::BARRIER), with(Operation::ALL_GATHER), "barrier #1", "all-gather #1"},
    {"Type", with(Operation::ALL_REDUCE), with(Operation::ALL_REDUCE, DataType::F32), "4 i32", "4 f32"},
    {"ReduceOp", with(Operation::ALL_REDUCE), with(Operation::ALL_REDUCE, DataType::I32, ReduceOp::MAX),
     "by sum", "by max"},
    {"Length", with(Operation::ALL_REDUCE), with(Operation::ALL_REDUCE, DataType::I32, ReduceOp::SUM, 0, 3),
     "of 4", "of 3"},
    {"AllToAllLength", with(Operation::ALL_TO_ALL),
     with(Operation::ALL_TO_ALL, DataType::I32, ReduceOp::SUM, 0, 3), "of 4", "of 3"},
    {"Root", with(Operation::BROADCAST), with(Operation::BROADCAST, DataType::I32, ReduceOp::SUM, 1),
     "root 0", "root 1"},
    {"RootOfReduce", with(Operation::REDUCE), with(Operation::REDUCE, DataType::I32, ReduceOp::SUM, 1),
     "root 0", "root 1"},
};

INSTANTIATE_TEST_SUITE_P(Ranks, Mismatches,
                         testing::Combine(testing::Values(2, 3, 5), testing::ValuesIn(DISAGREEMENTS)),
                         [](const auto& info) {
                           return std::get<1>(info.param).name + "Among" +
                                  std::to_string(std::get<0>(info.param));
                         });

TEST_P(Mismatches, ReachEveryRankWithBothViews) {
  const auto& [ranks, disagreement] = GetParam();
  run_with_communicators(ranks, {}, PATIENCE, [&](Communicator& group) {
    std::vector<std::int32_t> input(64);
    std::vector<std::int32_t> output(64);
    Call call = group.rank() == 0 ? disagreement.of_rank_0 : disagreement.of_others;
    call.input = input.data();
    call.output = output.data();
    const Error error = error_of([&] {
      run(group, call);
      run(group, with(Operation::BARRIER));  // A rank that only sends may learn of it one operation later.
    });
    EXPECT_EQ(error.code(), ErrorCode::MISMATCH) << error.what();
    const std::string text = error.what();
    EXPECT_NE(text.find(disagreement.view_of_rank_0), std::string::npos) << text;
    EXPECT_NE(text.find(disagreement.view_of_others), std::string::npos) << text;
  });
}

TEST(Failures, OrdersThatDifferAreAMismatch) {
  run_with_communicators(3, {}, PATIENCE, [](Communicator& group) {
    SmallAllReduce all_reduce;
    const Error error = error_of([&] {
      if (group.rank() == 1) run(group, with(Operation::BARRIER));
      run(group, all_reduce.call);
      run(group, with(Operation::BARRIER));
    });
    EXPECT_EQ(error.code(), ErrorCode::MISMATCH) << error.what();
  });
}

TEST(Failures, UnevenCountsThatDisagreeAreAMismatch) {
  run_with_communicators(3, {}, PATIENCE, [](Communicator& group) {
    std::vector<std::int64_t> counts{2, 2, 2};
    counts[0] += group.rank() == 2;  // Rank 2 expects one more from rank 0 than the others do.
    std::vector<std::int32_t> input(2);
    std::vector<std::int32_t> output(7);
    const Error error = error_of([&] {
      run(group, {.operation = Operation::ALL_GATHER,
                  .type = DataType::I32,
                  .input = input.data(),
                  .output = output.data(),
                  .count = 2,
                  .counts = &counts});
      run(group, with(Operation::BARRIER));
    });
    EXPECT_EQ(error.code(), ErrorCode::MISMATCH) << error.what();
    EXPECT_NE(std::string(error.what()).find("12 in all-gather"), std::string::npos) << error.what();
  });
}

TEST(Failures, AMissingCallTimesOutAndNamesTheRankAndTheOperation) {
  constexpr int RANKS = 3;
  std::latch failed(RANKS - 1);
  run_with_communicators(RANKS, {}, 0.2, [&](Communicator& group) {
    SmallAllReduce all_reduce;
    if (group.rank() == 1) return failed.wait();
    const Error error = error_of([&] { run(group, all_reduce.call); });
    failed.count_down();
    EXPECT_EQ(error.code(), ErrorCode::TIMEOUT) << error.what();
    EXPECT_NE(std::string(error.what()).find("all-reduce #1 of 4 i32 by sum"), std::string::npos)
        << error.what();
    EXPECT_NE(std::string(error.what()).find("0.2 s"), std::string::npos) << error.what();
  });
}

TEST(Failures, ATimeoutOfTwoRanksNamesTheAbsentOne) {
  std::latch failed(1);
  run_with_communicators(2, {}, 0.1, [&](Communicator& group) {
    if (group.rank() == 1) return failed.wait();
    const Error error = error_of([&] { run(group, with(Operation::BARRIER)); });
    failed.count_down();
    EXPECT_EQ(error.code(), ErrorCode::TIMEOUT);
    EXPECT_EQ(error.rank(), 1);
    EXPECT_NE(std::string(error.what()).find("rank 1"), std::string::npos) << error.what();
  });
}

TEST(Failures, ADeadRankIsNamedOnEverySurvivor) {
  constexpr int RANKS = 5;
  for (int dead = 0; dead < RANKS; ++dead) {
    run_as_ranks(RANKS, [&](int rank) {
      std::unique_ptr<Transport> transport = join(std::to_string(dead), rank, RANKS);
      if (rank == dead) return transport.reset();
      Communicator group(make_backend(std::move(transport)), PATIENCE);
      const Error error = error_of([&] {
        while (true) run(group, with(Operation::BARRIER));
      });
      EXPECT_EQ(error.code(), ErrorCode::PEER_FAILED) << error.what();
      EXPECT_EQ(error.rank(), dead) << error.what();
      EXPECT_NE(std::string(error.what()).find("Rank " + std::to_string(dead) + " died"), std::string::npos)
          << error.what();
    });
  }
}

TEST(Failures, ARankThatLeavesIsNamedByThoseWhoStillNeedIt) {
  run_with_communicators(3, {}, PATIENCE, [](Communicator& group) {
    if (group.rank() == 2) return group.close();
    SmallAllReduce all_reduce;
    const Error error = error_of([&] { run(group, all_reduce.call); });
    EXPECT_EQ(error.code(), ErrorCode::PEER_FAILED) << error.what();
    EXPECT_EQ(error.rank(), 2) << error.what();
    EXPECT_NE(std::string(error.what()).find("left the group"), std::string::npos) << error.what();
  });
}

TEST(Failures, ARankThatLeavesDisturbsNobodyWhoDoesNotNeedIt) {
  run_with_communicators(3, {}, PATIENCE, [](Communicator& group) {
    std::int32_t value = group.rank();
    if (group.rank() == 2) return group.close();
    if (group.rank() == 0) {
      run(group, {.operation = Operation::SEND,
                  .type = DataType::I32,
                  .root_or_peer = 1,
                  .input = &value,
                  .count = 1});
    } else {
      run(group, {.operation = Operation::RECEIVE,
                  .type = DataType::I32,
                  .root_or_peer = 0,
                  .output = &value,
                  .count = 1});
      EXPECT_EQ(value, 0);
    }
  });
}

TEST(Failures, AfterAWaitHasFailedNobodyWritesIntoWhatElseWasPosted) {
  std::latch has_failed(1);
  std::latch has_sent(1);
  const auto message = [](std::int32_t tag) {
    return Signature{.operation = Operation::SEND, .tag = tag, .count = 64};
  };
  const std::atomic<bool> never{false};
  run_as_ranks(2, [&](int rank) {
    auto transport = join("", rank, 2);
    std::vector<std::byte> mine(64, std::byte{9});
    if (rank == 1) {
      has_failed.wait();
      transport->post_send(0, message(2), mine.data(), mine.size());
      has_sent.count_down();
      transport->close();
      return;
    }
    std::vector<std::byte> other(64);
    const auto first = transport->post_receive(1, message(1), other.data(), other.size());
    transport->post_receive(1, message(2), mine.data(), mine.size());
    EXPECT_EQ(error_of([&] { transport->wait(first, Deadline(Deadline::Seconds(0.05), never)); }).code(),
              ErrorCode::TIMEOUT);
    std::ranges::fill(mine, std::byte{7});
    has_failed.count_down();
    has_sent.wait();
    EXPECT_EQ(std::ranges::count(mine, std::byte{7}), 64);
    transport->close();
  });
}

TEST(Failures, AfterAnErrorTheGroupIsClosedAndQuotesIt) {
  std::latch failed(1);
  run_with_communicators(2, {}, 0.1, [&](Communicator& group) {
    if (group.rank() == 1) return failed.wait();
    const Error first = error_of([&] { run(group, with(Operation::BARRIER)); });
    failed.count_down();
    SmallAllReduce all_reduce;
    const Error later = error_of([&] { run(group, all_reduce.call); });
    EXPECT_EQ(later.code(), ErrorCode::CLOSED);
    EXPECT_NE(std::string(later.what()).find(first.what()), std::string::npos) << later.what();
    EXPECT_EQ(error_of([&] { group.start(all_reduce.call.raw()); }).code(), ErrorCode::CLOSED);
    EXPECT_EQ(error_of([&] { group.split(0, 0); }).code(), ErrorCode::CLOSED);
  });
}

TEST(Failures, ARefusedArgumentLeavesTheGroupOpen) {
  run_with_communicators(2, {}, PATIENCE, [](Communicator& group) {
    SmallAllReduce all_reduce;
    Call bad = all_reduce.call;
    bad.input = nullptr;
    EXPECT_EQ(error_of([&] { run(group, bad); }).code(), ErrorCode::INVALID_ARGUMENT);
    run(group, all_reduce.call);
    EXPECT_EQ(all_reduce.data[3], 8);
  });
}

}  // namespace
}  // namespace lockstep::test

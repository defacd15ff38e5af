// Sending, receiving, and operations in the background.

#include <gtest/gtest.h>

#include <latch>
#include <numeric>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "call.h"
#include "channel/channels.h"
#include "lockstep/communicator.h"
#include "ranks.h"

namespace lockstep::test {
namespace {

Call send_of(const std::int32_t* value, int to, int tag = 0) {
  return {.operation = Operation::SEND,
          .type = DataType::I32,
          .root_or_peer = to,
          .tag = tag,
          .input = value,
          .count = 1};
}

Call receive_of(std::int32_t* value, int from, int tag = 0) {
  return {.operation = Operation::RECEIVE,
          .type = DataType::I32,
          .root_or_peer = from,
          .tag = tag,
          .output = value,
          .count = 1};
}

Call sum_of(std::vector<std::int32_t>& data) {
  return {.operation = Operation::ALL_REDUCE,
          .type = DataType::I32,
          .input = data.data(),
          .output = data.data(),
          .count = data.size()};
}

TEST(PointToPoint, MessagesOfOneTagKeepTheirOrder) {
  run_with_communicators(2, {}, PATIENCE, [](Communicator& group) {
    for (std::int32_t i = 0; i < 100; ++i) {
      std::int32_t value = i;
      if (group.rank() == 0) {
        run(group, send_of(&value, 1));
      } else {
        value = -1;
        EXPECT_EQ(run(group, receive_of(&value, 0)), 0);
        EXPECT_EQ(value, i);
      }
    }
  });
}

TEST(PointToPoint, TagsAreReceivedInAnyOrder) {
  run_with_communicators(2, {}, PATIENCE, [](Communicator& group) {
    std::int32_t first = 1;
    std::int32_t second = 2;
    if (group.rank() == 0) {
      run(group, send_of(&first, 1, 7));
      run(group, send_of(&second, 1, 8));
    } else {
      run(group, receive_of(&second, 0, 8));
      run(group, receive_of(&first, 0, 7));
      EXPECT_EQ(first, 1);
      EXPECT_EQ(second, 2);
    }
  });
}

TEST(PointToPoint, RanksMayAllSendBeforeTheyReceive) {
  run_with_communicators(3, {}, PATIENCE, [](Communicator& group) {
    const std::int32_t own = group.rank();
    std::int32_t received = -1;
    const int previous = (group.rank() + 2) % 3;
    run(group, send_of(&own, (group.rank() + 1) % 3));
    run(group, receive_of(&received, previous));
    EXPECT_EQ(received, previous);
  });
}

TEST(PointToPoint, WhatARankSentBeforeItLeftArrives) {
  std::latch left(1);
  run_with_communicators(2, {}, PATIENCE, [&](Communicator& group) {
    std::int32_t value = 42;
    if (group.rank() == 0) {
      run(group, send_of(&value, 1));
      group.close();
      left.count_down();
    } else {
      value = 0;
      left.wait();
      run(group, receive_of(&value, 0));
      EXPECT_EQ(value, 42);
    }
  });
}

TEST(PointToPoint, AReceiveFromAnyNamesTheSender) {
  constexpr int RANKS = 5;
  run_with_communicators(RANKS, {}, PATIENCE, [](Communicator& group) {
    std::int32_t value = group.rank() * 11;
    if (group.rank() > 0) {
      run(group, send_of(&value, 0));
      return;
    }
    std::set<int> senders;
    for (int i = 1; i < RANKS; ++i) {
      const int sender = run(group, receive_of(&value, ANY_RANK));
      EXPECT_EQ(value, sender * 11);
      senders.insert(sender);
    }
    EXPECT_EQ(senders, (std::set<int>{1, 2, 3, 4}));
  });
}

TEST(PointToPoint, AReceiveFromAnyEndsWhenAllHaveLeft) {
  run_with_communicators(3, {}, PATIENCE, [](Communicator& group) {
    if (group.rank() > 0) return group.close();
    std::int32_t value = 0;
    EXPECT_EQ(error_of([&] { run(group, receive_of(&value, ANY_RANK)); }).code(), ErrorCode::PEER_FAILED);
  });
}

TEST(PointToPoint, ALengthThatDiffersIsAMismatchOfTheReceiveAlone) {
  run_with_communicators(2, {}, PATIENCE, [](Communicator& group) {
    std::int32_t values[2] = {1, 2};
    Call call = group.rank() == 0 ? send_of(values, 1) : receive_of(values, 0);
    if (group.rank() == 1) call.count = 2;
    if (group.rank() == 0) {
      run(group, call);
    } else {
      const Error error = error_of([&] { run(group, call); });
      EXPECT_EQ(error.code(), ErrorCode::MISMATCH);
      EXPECT_NE(std::string(error.what()).find("sent 1 i32"), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find("receive 2 i32"), std::string::npos) << error.what();
    }
    run(group, {.operation = Operation::BARRIER});
  });
}

TEST(PointToPoint, MessagesPassCollectivesOfTheSameRanks) {
  run_with_communicators(2, {}, PATIENCE, [](Communicator& group) {
    std::int32_t value = 5;
    std::vector<std::int32_t> data{1};
    if (group.rank() == 0) {
      auto message = group.channels().post(group.transfer_of(send_of(&value, 1).raw()));
      run(group, sum_of(data));
      group.channels().wait(*message, Channels::Seconds(PATIENCE));
    } else {
      value = 0;
      auto message = group.channels().post(group.transfer_of(receive_of(&value, 0).raw()));
      run(group, sum_of(data));
      group.channels().wait(*message, Channels::Seconds(PATIENCE));
      EXPECT_EQ(value, 5);
    }
    EXPECT_EQ(data[0], 2);
  });
}

TEST(Asynchronous, OperationsRunInTheOrderOfTheirSubmission) {
  run_with_communicators(3, {}, PATIENCE, [](Communicator& group) {
    // Each all-reduce reads what the one before has written.
    std::vector<std::int32_t> data{1};
    std::vector<std::shared_ptr<Work>> works;
    for (int i = 0; i < 10; ++i) works.push_back(group.start(sum_of(data).raw()));
    run(group, sum_of(data));
    EXPECT_TRUE(works.back()->is_done()) << "a synchronous operation overtook a queued one";
    for (const auto& work : works) work->wait();
    EXPECT_EQ(data[0], 177147);  // 3^11
  });
}

TEST(Asynchronous, StartReturnsBeforeThePeerHasCome) {
  std::latch started(1);
  run_with_communicators(2, {}, PATIENCE, [&](Communicator& group) {
    std::vector<std::int32_t> data(1000, 1);
    if (group.rank() == 1) started.wait();
    auto work = group.start(sum_of(data).raw());
    if (group.rank() == 0) {
      EXPECT_FALSE(work->is_done());
      started.count_down();
    }
    work->wait();
    EXPECT_TRUE(work->is_done());
    EXPECT_EQ(data, std::vector<std::int32_t>(1000, 2));
  });
}

TEST(Asynchronous, AnErrorEndsAllThatIsPending) {
  std::latch failed(1);
  run_with_communicators(2, {}, 0.1, [&](Communicator& group) {
    if (group.rank() == 1) return failed.wait();
    std::vector<std::int32_t> data{1};
    auto first = group.start(sum_of(data).raw());
    auto second = group.start(sum_of(data).raw());
    const Error error = error_of([&] { first->wait(); });
    EXPECT_EQ(error.code(), ErrorCode::TIMEOUT);
    EXPECT_STREQ(error_of([&] { second->wait(); }).what(), error.what());
    failed.count_down();
  });
}

TEST(Asynchronous, ThreadsThatShareACommunicatorTakeTurns) {
  run_with_communicators(2, {}, PATIENCE, [](Communicator& group) {
    // Every thread does the same thing, so it does not matter whose call meets whose.
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&] {
        for (int i = 0; i < 50; ++i) {
          std::vector<std::int32_t> data{1, 2};
          run(group, sum_of(data));
          EXPECT_EQ(data, (std::vector<std::int32_t>{2, 4}));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  });
}

TEST(Asynchronous, CloseEndsWhatRunsAndWhatIsQueued) {
  std::latch closed(1);
  run_with_communicators(2, {}, PATIENCE, [&](Communicator& group) {
    std::vector<std::int32_t> data{1};
    if (group.rank() == 1) {
      closed.wait();
      // Rank 0 may have given its part of the first before it closed; it cannot have entered the others.
      const auto all_three = [&] {
        for (int i = 0; i < 3; ++i) run(group, sum_of(data));
      };
      EXPECT_EQ(error_of(all_three).code(), ErrorCode::PEER_FAILED);
      return;
    }
    // Rank 1 does not take part yet.
    auto running = group.start(sum_of(data).raw());
    auto queued = group.start(sum_of(data).raw());
    group.close();
    closed.count_down();
    EXPECT_EQ(error_of([&] { running->wait(); }).code(), ErrorCode::CLOSED);
    EXPECT_EQ(error_of([&] { queued->wait(); }).code(), ErrorCode::CLOSED);
    EXPECT_EQ(error_of([&] { run(group, sum_of(data)); }).code(), ErrorCode::CLOSED);
    group.close();
  });
}

}  // namespace
}  // namespace lockstep::test

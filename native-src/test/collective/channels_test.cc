// Messages beside the collectives: over every wire, in both directions at once, with deadlines of their own.

#include "channel/channels.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "call.h"
#include "collective/backend/transport_backend.h"
#include "ranks.h"
#include "tcp_group.h"

namespace lockstep::test {
namespace {

using Seconds = Channels::Seconds;

enum class Over { THREADS, SHARED_MEMORY, TCP };

std::string name_of_wire(const testing::TestParamInfo<Over>& info) {
  return info.param == Over::THREADS ? "InProcess" : info.param == Over::TCP ? "Tcp" : "SharedMemory";
}

class Channel : public testing::TestWithParam<Over> {
 protected:
  void run(int ranks, const std::function<void(Communicator&)>& body, double timeout = PATIENCE) {
    const int port = free_port();
    run_as_ranks(ranks, [&](int rank) {
      Communicator communicator(make_backend(transport(rank, ranks, port)), timeout);
      body(communicator);
    });
  }

 private:
  static std::unique_ptr<Transport> transport(int rank, int ranks, int port) {
    if (GetParam() == Over::TCP) {
      TcpOptions options;
      options.rank = rank;
      options.world_size = ranks;
      options.master_address = "127.0.0.1";
      options.master_port = port;
      options.token = "a token of the tests";
      options.timeout_seconds = PATIENCE;
      options.frame_payload_limit = 1 << 16;
      return connect_tcp(options);
    }
    auto transport = join_in_process_only("", rank, ranks);
    if (GetParam() == Over::THREADS) return transport;
    auto shared = share_memory_of(*transport, SMALL_PIECES);
    transport->close();
    return shared;
  }
};

Transfer send_of(std::vector<float>& data, int to, int tag = 0) {
  return {.is_send = true,
          .type = DataType::F32,
          .peer = to,
          .tag = tag,
          .data = reinterpret_cast<std::byte*>(data.data()),
          .count = data.size()};
}

Transfer receive_of(std::vector<float>& data, int from, int tag = 0) {
  Transfer transfer = send_of(data, from, tag);
  transfer.is_send = false;
  return transfer;
}

std::vector<float> values(std::size_t count, int seed) {
  std::vector<float> data(count);
  std::iota(data.begin(), data.end(), static_cast<float>(seed));
  return data;
}

constexpr std::size_t MEBIBYTE = (1 << 20) / sizeof(float);

TEST_P(Channel, BothRanksMayPostTheReceiveFirst) {
  run(2, [](Communicator& group) {
    const int peer = 1 - group.rank();
    std::vector<float> own = values(MEBIBYTE, group.rank());
    std::vector<float> theirs(MEBIBYTE);
    auto receive = group.channels().post(receive_of(theirs, peer));
    auto send = group.channels().post(send_of(own, peer));
    EXPECT_TRUE(group.channels().wait(*receive, Seconds(PATIENCE)));
    EXPECT_TRUE(group.channels().wait(*send, Seconds(PATIENCE)));
    EXPECT_EQ(theirs, values(MEBIBYTE, peer));
  });
}

TEST_P(Channel, BothRanksMaySendAMebibyteBeforeTheyReceive) {
  run(2, [](Communicator& group) {
    const int peer = 1 - group.rank();
    std::vector<float> own = values(MEBIBYTE, group.rank());
    std::vector<float> theirs(MEBIBYTE);
    const Transfer send = send_of(own, peer);
    const Transfer receive = receive_of(theirs, peer);
    EXPECT_TRUE(group.channels().exchange({&send, 1}, Seconds(PATIENCE)));
    EXPECT_TRUE(group.channels().exchange({&receive, 1}, Seconds(PATIENCE)));
    EXPECT_EQ(theirs, values(MEBIBYTE, peer));
  });
}

TEST(SharedMemoryChannel, MessagesOfAnyLengthKeepTheirBytesHoweverOftenTheRingStartsAgain) {
  run_as_ranks(2, [](int rank) {
    auto transport = join_in_process_only("", rank, 2);
    auto shared = share_memory_of(*transport, {.staging_bytes = 4096, .channel_bytes = 16 << 10});
    transport->close();
    Communicator group(make_backend(std::move(shared)), PATIENCE);
    std::minstd_rand random(1);  // the same on both ranks
    for (int round = 0; round < 1000; ++round) {
      std::vector<std::vector<float>> own;
      std::vector<std::vector<float>> theirs;
      std::vector<Transfer> transfers;
      for (std::size_t messages = 1 + random() % 3; own.size() < messages;) {
        own.push_back(values(random() % (random() % 4 == 0 ? 6000 : 300), round + rank));
        theirs.emplace_back(own.back().size());
      }
      for (std::size_t i = 0; i < own.size(); ++i) {
        transfers.push_back(send_of(own[i], 1 - rank));
        transfers.push_back(receive_of(theirs[i], 1 - rank));
      }
      ASSERT_TRUE(group.channels().exchange(transfers, Seconds(PATIENCE)));
      for (const std::vector<float>& message : theirs) {
        ASSERT_EQ(message, values(message.size(), round + 1 - rank)) << "round " << round;
      }
    }
  });
}

TEST_P(Channel, AWaitThatRunsOutOfTimeLeavesMessageAndGroupWhole) {
  std::latch ran_out(1);
  run(2, [&](Communicator& group) {
    std::vector<float> data = values(3, 7);
    if (group.rank() == 1) {
      ran_out.wait();
      EXPECT_TRUE(group.channels().wait(*group.channels().post(send_of(data, 0)), Seconds(PATIENCE)));
    } else {
      std::vector<float> received(3);
      auto receive = group.channels().post(receive_of(received, 1));
      EXPECT_FALSE(group.channels().wait(*receive, Seconds(0.02)));
      ran_out.count_down();
      EXPECT_TRUE(group.channels().wait(*receive, Seconds(PATIENCE)));
      EXPECT_EQ(received, data);
    }
    lockstep::test::run(group, {.operation = Operation::BARRIER});
  });
}

TEST_P(Channel, ABlockingReceiveThatRunsOutOfTimeIsATimeoutThatEndsNothing) {
  run(
      2,
      [](Communicator& group) {
        std::vector<float> data(3);
        if (group.rank() == 0) {
          const Error error = error_of([&] {
            lockstep::test::run(group, {.operation = Operation::RECEIVE,
                                        .type = DataType::F32,
                                        .root_or_peer = 1,
                                        .tag = 4,
                                        .output = data.data(),
                                        .count = 3});
          });
          EXPECT_EQ(error.code(), ErrorCode::TIMEOUT);
          EXPECT_EQ(error.rank(), 1);
        }
        group.set_timeout(PATIENCE);
        lockstep::test::run(group, {.operation = Operation::BARRIER});
        // Its memory is free again: what comes now waits for another receive.
        if (group.rank() == 1) {
          std::vector<float> sent = values(3, 1);
          const Transfer send = send_of(sent, 0, 4);
          group.channels().exchange({&send, 1}, Seconds(PATIENCE));
        } else {
          ASSERT_TRUE(group.channels().probe(1, 4, Seconds(PATIENCE)));
          EXPECT_EQ(data, std::vector<float>(3));
        }
      },
      0.05);
}

TEST_P(Channel, MessagesPassCollectivesInAnyOrderOfPosts) {
  run(2, [](Communicator& group) {
    const int peer = 1 - group.rank();
    std::vector<float> own = values(5, group.rank());
    std::vector<float> theirs(5);
    // Rank 0's receive is met only after the collective that rank 1 enters first.
    auto receive = group.channels().post(receive_of(theirs, peer));
    std::vector<float> sum{1};
    lockstep::test::run(group, {.operation = Operation::ALL_REDUCE,
                                .type = DataType::F32,
                                .input = sum.data(),
                                .output = sum.data(),
                                .count = 1});
    auto send = group.channels().post(send_of(own, peer));
    group.channels().wait(*receive, Seconds(PATIENCE));
    group.channels().wait(*send, Seconds(PATIENCE));
    EXPECT_EQ(sum[0], 2);
    EXPECT_EQ(theirs, values(5, peer));
  });
}

TEST_P(Channel, ThreadsOfARankWaitForDifferentPeersAtOnce) {
  constexpr int RANKS = 3;
  constexpr int ROUNDS = 50;
  run(RANKS, [](Communicator& group) {
    std::vector<std::thread> threads;
    for (int peer = 0; peer < RANKS; ++peer) {
      if (peer == group.rank()) continue;
      for (int tag = 0; tag < 2; ++tag) {
        threads.emplace_back([&group, peer, tag] {
          for (int round = 0; round < ROUNDS; ++round) {
            std::vector<float> own = values(700, group.rank() * 1000 + round * 10 + tag);
            std::vector<float> theirs(700);
            const std::array<Transfer, 2> both{send_of(own, peer, tag), receive_of(theirs, peer, tag)};
            ASSERT_TRUE(group.channels().exchange(both, Seconds(PATIENCE)));
            ASSERT_EQ(theirs, values(700, peer * 1000 + round * 10 + tag));
          }
        });
      }
    }
    for (std::thread& thread : threads) thread.join();
  });
}

TEST_P(Channel, AReceiveFromAnyNamesTheSenderAndTheLengthIsKnownBeforehand) {
  run(3, [](Communicator& group) {
    Channels& channels = group.channels();
    if (group.rank() > 0) {
      std::vector<float> data = values(static_cast<std::size_t>(group.rank()) * 2000, group.rank());
      EXPECT_TRUE(channels.wait(*channels.post(send_of(data, 0, 9)), Seconds(PATIENCE)));
      return;
    }
    int senders = 0;
    for (int i = 0; i < 2; ++i) {
      const auto incoming = channels.probe(Transport::ANY, 9, Seconds(PATIENCE));
      ASSERT_TRUE(incoming);
      EXPECT_EQ(incoming->count, static_cast<std::size_t>(incoming->source) * 2000);
      EXPECT_EQ(incoming->type, DataType::F32);
      std::vector<float> data(incoming->count);
      auto receive = channels.post(receive_of(data, Transport::ANY, 9));
      EXPECT_TRUE(channels.wait(*receive, Seconds(PATIENCE)));
      EXPECT_EQ(receive->post.peer, incoming->source);
      EXPECT_EQ(data, values(data.size(), incoming->source));
      senders += incoming->source;
    }
    EXPECT_EQ(senders, 3);
    EXPECT_FALSE(channels.poll(Transport::ANY, 9));
  });
}

TEST_P(Channel, AReceiveMayTakeAShorterMessageWhereItSaysSo) {
  run(2, [](Communicator& group) {
    std::vector<float> data = values(group.rank() == 0 ? 3 : 10, 1);
    Transfer transfer = group.rank() == 0 ? send_of(data, 1) : receive_of(data, 0);
    transfer.exact = false;
    auto message = group.channels().post(transfer);
    EXPECT_TRUE(group.channels().wait(*message, Seconds(PATIENCE)));
    if (group.rank() == 1) {
      EXPECT_EQ(message->received_count, 3U);
    }
  });
}

TEST_P(Channel, AMismatchEndsTheReceiveAloneAndTheMessageStays) {
  run(2, [](Communicator& group) {
    Channels& channels = group.channels();
    std::vector<float> data = values(3, 5);
    if (group.rank() == 0) {
      EXPECT_TRUE(channels.wait(*channels.post(send_of(data, 1, 2)), Seconds(PATIENCE)));
    } else {
      std::vector<float> wrong(4);
      auto receive = channels.post(receive_of(wrong, 0, 2));
      const Error error = error_of([&] { channels.wait(*receive, Seconds(PATIENCE)); });
      EXPECT_EQ(error.code(), ErrorCode::MISMATCH);
      EXPECT_EQ(error.rank(), 0);
      EXPECT_NE(std::string(error.what()).find("sent 3 f32 with tag 2"), std::string::npos) << error.what();
      std::vector<float> right(3);
      EXPECT_TRUE(channels.wait(*channels.post(receive_of(right, 0, 2)), Seconds(PATIENCE)));
      EXPECT_EQ(right, data);
    }
    lockstep::test::run(group, {.operation = Operation::BARRIER});
  });
}

TEST_P(Channel, ARankThatLeavesEndsItsOwnMessagesOnly) {
  run(3, [](Communicator& group) {
    Channels& channels = group.channels();
    std::vector<float> data(2);
    if (group.rank() == 2) return group.close();
    auto lost = channels.post(receive_of(data, 2));
    const Error error = error_of([&] { channels.wait(*lost, Seconds(PATIENCE)); });
    EXPECT_EQ(error.code(), ErrorCode::PEER_FAILED);
    EXPECT_EQ(error.rank(), 2);
    EXPECT_EQ(error_of([&] { channels.wait(*channels.post(send_of(data, 2)), Seconds(PATIENCE)); }).code(),
              ErrorCode::PEER_FAILED);
    std::vector<float> own = values(2, group.rank());
    std::vector<float> theirs(2);
    const std::array<Transfer, 2> both{send_of(own, 1 - group.rank()), receive_of(theirs, 1 - group.rank())};
    EXPECT_TRUE(channels.exchange(both, Seconds(PATIENCE)));
    EXPECT_EQ(theirs, values(2, 1 - group.rank()));
  });
}

TEST_P(Channel, MessagesAmongSurvivorsOutliveAFailureOfTheCollectives) {
  run(
      3,
      [](Communicator& group) {
        std::vector<float> data{1};
        if (group.rank() == 2) return group.close();
        EXPECT_NE(error_of([&] {
                    lockstep::test::run(group, {.operation = Operation::ALL_REDUCE,
                                                .type = DataType::F32,
                                                .input = data.data(),
                                                .output = data.data(),
                                                .count = 1});
                  }).code(),
                  ErrorCode::INVALID_ARGUMENT);
        std::vector<float> own = values(9, group.rank());
        std::vector<float> theirs(9);
        const std::array<Transfer, 2> both{send_of(own, 1 - group.rank()),
                                           receive_of(theirs, 1 - group.rank())};
        EXPECT_TRUE(group.channels().exchange(both, Seconds(PATIENCE)));
        EXPECT_EQ(theirs, values(9, 1 - group.rank()));
      },
      PATIENCE);
}

TEST_P(Channel, WhatARankSentBeforeItLeftArrives) {
  std::latch left(1);
  run(2, [&](Communicator& group) {
    std::vector<float> data = values(100, 3);
    if (group.rank() == 0) {
      auto send = group.channels().post(send_of(data, 1));
      EXPECT_TRUE(group.channels().wait(*send, Seconds(PATIENCE)));
      group.close();
      left.count_down();
    } else {
      left.wait();
      std::vector<float> received(100);
      EXPECT_TRUE(group.channels().wait(*group.channels().post(receive_of(received, 0)), Seconds(PATIENCE)));
      EXPECT_EQ(received, data);
    }
  });
}

TEST_P(Channel, ACancelledReceiveLeavesTheMessageToTheNext) {
  run(2, [](Communicator& group) {
    Channels& channels = group.channels();
    std::vector<float> data(4);
    if (group.rank() == 0) {
      auto receive = channels.post(receive_of(data, 1));
      EXPECT_TRUE(channels.cancel(*receive));
      EXPECT_FALSE(channels.cancel(*receive));
      EXPECT_EQ(error_of([&] { channels.wait(*receive, Seconds(PATIENCE)); }).code(), ErrorCode::CLOSED);
    }
    lockstep::test::run(group, {.operation = Operation::BARRIER});
    if (group.rank() == 1) {
      data = values(4, 4);
      channels.wait(*channels.post(send_of(data, 0)), Seconds(PATIENCE));
    } else {
      EXPECT_TRUE(channels.probe(1, 0, Seconds(PATIENCE)));
      EXPECT_EQ(data, std::vector<float>(4));
      EXPECT_TRUE(channels.wait(*channels.post(receive_of(data, 1)), Seconds(PATIENCE)));
      EXPECT_EQ(data, values(4, 4));
    }
  });
}

TEST_P(Channel, AnExchangeThatRunsOutOfTimeInTheMiddleOfAMessageFreesItsMemory) {
  std::latch ran_out(1);
  run(2, [&](Communicator& group) {
    Channels& channels = group.channels();
    std::vector<float> data = values(4 * MEBIBYTE, 1);
    if (group.rank() == 0) {
      // More than the wire holds: it ends later, from memory of the channel's own.
      const Transfer send = send_of(data, 1);
      channels.exchange({&send, 1}, Seconds(0.05));
      std::ranges::fill(data, -1);
      ran_out.count_down();
    } else {
      ran_out.wait();
      std::vector<float> received(4 * MEBIBYTE);
      EXPECT_TRUE(channels.wait(*channels.post(receive_of(received, 0)), Seconds(PATIENCE)));
      EXPECT_EQ(received, values(4 * MEBIBYTE, 1));
    }
    lockstep::test::run(group, {.operation = Operation::BARRIER});
    // Rank 0 has to take part until its message has gone.
    if (group.rank() == 1) {
      std::vector<float> done{1};
      channels.wait(*channels.post(send_of(done, 0, 1)), Seconds(PATIENCE));
    } else {
      std::vector<float> done(1);
      channels.wait(*channels.post(receive_of(done, 1, 1)), Seconds(PATIENCE));
    }
  });
}

TEST_P(Channel, ACompletionComesWhileNobodyWaits) {
  std::latch posted(1);
  run(2, [&](Communicator& group) {
    std::vector<float> data = values(MEBIBYTE, 2);
    if (group.rank() == 0) {
      std::vector<float> received(MEBIBYTE);
      auto receive = group.channels().post(receive_of(received, 1));
      group.channels().announce(*receive, 4711);
      posted.count_down();
      EXPECT_EQ(group.completions().take(Seconds(PATIENCE)), 4711);
      EXPECT_EQ(received, data);
    } else {
      posted.wait();
      EXPECT_TRUE(group.channels().wait(*group.channels().post(send_of(data, 0)), Seconds(PATIENCE)));
    }
  });
}

TEST_P(Channel, CloseEndsAllThatIsPending) {
  std::latch closed(1);  // a peer that leaves earlier would end the receives itself
  run(2, [&closed](Communicator& group) {
    std::vector<float> data(3);
    if (group.rank() == 1) {
      std::vector<float> done{1};
      group.channels().wait(*group.channels().post(receive_of(done, 0, 5)), Seconds(PATIENCE));
      return closed.wait();
    }
    auto waited_for = group.channels().post(receive_of(data, 1));
    auto dropped = group.channels().post(receive_of(data, 1));
    std::atomic<bool> waits{false};
    std::thread waiter([&] {
      waits = true;
      EXPECT_EQ(error_of([&] { group.channels().wait(*waited_for, Seconds(PATIENCE)); }).code(),
                ErrorCode::CLOSED);
    });
    while (!waits) std::this_thread::yield();
    std::vector<float> done{1};
    const Transfer send = send_of(done, 1, 5);
    EXPECT_TRUE(group.channels().exchange({&send, 1}, Seconds(PATIENCE)));
    group.close();
    waiter.join();
    EXPECT_EQ(error_of([&] { group.channels().wait(*dropped, Seconds(1)); }).code(), ErrorCode::CLOSED);
    EXPECT_EQ(error_of([&] { group.channels().post(send_of(data, 1)); }).code(), ErrorCode::CLOSED);
    closed.count_down();
  });
}

TEST_P(Channel, AGroupThatWasSplitOffHasChannelsOfItsOwn) {
  run(3, [](Communicator& group) {
    auto child = group.split(group.rank() == 1 ? -1 : 0, -group.rank());
    if (child == nullptr) return;
    const int peer = 1 - child->rank();
    std::vector<float> own = values(3, group.rank());
    std::vector<float> theirs(3);
    const std::array<Transfer, 2> both{send_of(own, peer), receive_of(theirs, peer)};
    EXPECT_TRUE(child->channels().exchange(both, Seconds(PATIENCE)));
    EXPECT_EQ(theirs, values(3, 2 - group.rank()));
  });
}

TEST_P(Channel, SurvivorsShrinkToAWorkingGroupThatHearsNothingOfTheOldOne) {
  run(3, [](Communicator& group) {
    std::vector<float> data{1};
    const auto sum = [&](Communicator& of) {
      lockstep::test::run(of, {.operation = Operation::ALL_REDUCE,
                               .type = DataType::F32,
                               .input = data.data(),
                               .output = data.data(),
                               .count = 1});
    };
    if (group.rank() == 1) return group.close();
    error_of([&] { sum(group); });
    const auto known = std::chrono::steady_clock::now();
    const int peer = 2 - group.rank();
    std::vector<float> late = values(3, 1);
    auto old = group.channels().post(send_of(late, peer, 5));
    const std::array<int, 2> survivors{0, 2};
    auto next = group.shrink(survivors);
    EXPECT_EQ(next->generation(), 1U);
    EXPECT_EQ(next->size(), 2);
    data[0] = static_cast<float>(group.rank() + 1);
    sum(*next);
    EXPECT_LT(std::chrono::steady_clock::now() - known, std::chrono::seconds(2));
    EXPECT_EQ(data[0], 4);
    EXPECT_TRUE(group.channels().probe(peer, 5, Seconds(PATIENCE)));
    EXPECT_FALSE(next->channels().poll(1 - next->rank(), 5));
    EXPECT_EQ(error_of([&] {
                group.shrink(std::array{0, 1});
              }).code(),
              group.rank() == 0 ? ErrorCode::PEER_FAILED : ErrorCode::INVALID_ARGUMENT);
    sum(*next);
    EXPECT_EQ(data[0], 8);
  });
}

TEST_P(Channel, ASingleSurvivorIsAGroupOfOne) {
  run(2, [](Communicator& group) {
    if (group.rank() == 1) return;
    const std::array<int, 1> alone{0};
    auto next = group.shrink(alone);
    EXPECT_EQ(next->size(), 1);
    lockstep::test::run(*next, {.operation = Operation::BARRIER});
  });
}

INSTANTIATE_TEST_SUITE_P(Over, Channel, testing::Values(Over::THREADS, Over::SHARED_MEMORY, Over::TCP),
                         name_of_wire);

}  // namespace
}  // namespace lockstep::test

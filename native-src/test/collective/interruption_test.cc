// A thread that is interrupted while it waits: what it throws, and what becomes of its group.

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <future>
#include <thread>

#include "call.h"
#include "channel/channels.h"
#include "lockstep/communicator.h"
#include "ranks.h"
#include "tcp_group.h"

namespace lockstep::test {
namespace {

// So that a thread is known to wait when it is interrupted.
constexpr int ASKED_BEFORE = 2;

thread_local int questions_left = -1;

bool says_yes_to_the_third_question() {
  if (questions_left < 0) return false;
  if (questions_left > 0) --questions_left;
  return questions_left == 0;
}

void interrupt_the_next_wait_of_this_thread() { questions_left = ASKED_BEFORE + 1; }
void stop_interrupting_this_thread() { questions_left = -1; }

class Interruption : public testing::Test {
 protected:
  void SetUp() override { set_interruption_check(says_yes_to_the_third_question); }
  void TearDown() override { set_interruption_check(nullptr); }
};

TEST_F(Interruption, EndsACollectiveAndItsGroupAsAnErrorDoes) {
  run_with_communicators(3, {}, PATIENCE, [](Communicator& group) {
    if (group.rank() == 1) interrupt_the_next_wait_of_this_thread();
    if (group.rank() == 2) {
      // Comes late: rank 1 would wait for it.
      Channels& channels = group.channels();
      std::byte word{};
      channels.exchange(std::array{Transfer{false, DataType::U8, 1, 0, &word, 1}},
                        Channels::Seconds(PATIENCE));
    }
    const Error error = error_of([&] { run(group, {.operation = Operation::BARRIER}); });
    if (group.rank() == 1) {
      EXPECT_EQ(error.code(), ErrorCode::INTERRUPTED) << error.what();
      stop_interrupting_this_thread();
      const Error later = error_of([&] { run(group, {.operation = Operation::BARRIER}); });
      EXPECT_EQ(later.code(), ErrorCode::CLOSED) << later.what();
      // Channels outlive a failure of the collectives.
      std::byte word{};
      group.channels().exchange(std::array{Transfer{true, DataType::U8, 2, 0, &word, 1}},
                                Channels::Seconds(PATIENCE));
    } else {
      EXPECT_EQ(error.code(), ErrorCode::PEER_FAILED) << error.what();
      EXPECT_EQ(error.rank(), 1) << error.what();
      EXPECT_NE(std::string(error.what()).find("was interrupted"), std::string::npos) << error.what();
    }
  });
}

TEST_F(Interruption, OfAThreadWhoseOperationIsQueuedEndsTheGroupToo) {
  std::promise<void> done;
  std::shared_future<void> all_done = done.get_future().share();
  run_with_communicators(2, {}, PATIENCE, [&](Communicator& group) {
    if (group.rank() == 1) {
      all_done.wait();
      const Error error = error_of([&] { run(group, {.operation = Operation::BARRIER}); });
      EXPECT_EQ(error.code(), ErrorCode::PEER_FAILED) << error.what();
      EXPECT_NE(std::string(error.what()).find("was interrupted"), std::string::npos) << error.what();
      return;
    }
    const auto before = group.start(Call{.operation = Operation::BARRIER}.raw());
    interrupt_the_next_wait_of_this_thread();
    const Error error = error_of([&] { run(group, {.operation = Operation::BARRIER}); });
    EXPECT_EQ(error.code(), ErrorCode::INTERRUPTED) << error.what();
    stop_interrupting_this_thread();
    EXPECT_NE(error_of([&] { before->wait(); }).code(), ErrorCode::TIMEOUT);
    done.set_value();
  });
}

TEST_F(Interruption, OfAReceiveLeavesTheGroupWhole) {
  run_with_communicators(2, {}, PATIENCE, [](Communicator& group) {
    std::array<std::byte, 3> data{};
    const Call receive{.operation = Operation::RECEIVE, .root_or_peer = 1, .output = data.data(), .count = 3};
    if (group.rank() == 0) {
      interrupt_the_next_wait_of_this_thread();
      const Error error = error_of([&] { run(group, receive); });
      EXPECT_EQ(error.code(), ErrorCode::INTERRUPTED) << error.what();
      stop_interrupting_this_thread();
      run(group, {.operation = Operation::BARRIER});
      run(group, receive);
      EXPECT_EQ(data[2], std::byte{7});
    } else {
      run(group, {.operation = Operation::BARRIER});
      data.fill(std::byte{7});
      run(group, {.operation = Operation::SEND, .root_or_peer = 0, .input = data.data(), .count = 3});
    }
  });
}

TEST_F(Interruption, EndsTheFormingOfAGroupOfThreads) {
  interrupt_the_next_wait_of_this_thread();
  const std::string name = "nobody else comes";
  const Error error = error_of([&] { open_in_process(name.c_str(), 0, 2, PATIENCE); });
  EXPECT_EQ(error.code(), ErrorCode::INTERRUPTED) << error.what();
  stop_interrupting_this_thread();
}

void expect_interrupted_while_forming(int rank) {
  const Watchdog watchdog(std::chrono::seconds(60));
  interrupt_the_next_wait_of_this_thread();
  const int port = free_port();
  const Error error = error_of([&] { open_tcp(rank, 2, "127.0.0.1", port, "secret", PATIENCE, 0); });
  EXPECT_EQ(error.code(), ErrorCode::INTERRUPTED) << error.what();
  stop_interrupting_this_thread();
}

TEST_F(Interruption, EndsRank0sWaitForTheOthers) { expect_interrupted_while_forming(0); }

TEST_F(Interruption, EndsAnAttemptToReachRank0) { expect_interrupted_while_forming(1); }

TEST_F(Interruption, OfRank0IsToldToThoseWhoCameToFormTheGroup) {
  const Watchdog watchdog(std::chrono::seconds(60));
  const int port = free_port();
  std::thread early([port] {
    const Error error = error_of([&] { open_tcp(1, 3, "127.0.0.1", port, "secret", PATIENCE, 0); });
    EXPECT_EQ(error.code(), ErrorCode::PEER_FAILED) << error.what();
    EXPECT_EQ(error.rank(), 0);
  });
  questions_left = 60;  // for three seconds: the other one has come by then
  const Error error = error_of([&] { open_tcp(0, 3, "127.0.0.1", port, "secret", PATIENCE, 0); });
  EXPECT_EQ(error.code(), ErrorCode::INTERRUPTED) << error.what();
  stop_interrupting_this_thread();
  early.join();
}

}  // namespace
}  // namespace lockstep::test

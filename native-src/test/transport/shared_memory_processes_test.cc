// Groups in shared memory whose ranks are processes, and what becomes of them when those are killed.

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>

#include <csignal>
#include <cstring>

#include "call.h"
#include "collective/backend/transport_backend.h"
#include "expected.h"
#include "processes.h"
#include "ranks.h"
#include "tcp_group.h"

namespace lockstep::test {
namespace {

void copy(std::byte* target, const Bytes& source) {
  if (!source.empty()) std::memcpy(target, source.data(), source.size());
}

Bytes bytes_at(const std::byte* memory, std::size_t size) { return {memory, memory + size}; }

class SharedMemoryProcesses : public testing::TestWithParam<bool> {};

INSTANTIATE_TEST_SUITE_P(ByName, SharedMemoryProcesses, testing::Bool());

TEST_P(SharedMemoryProcesses, ReduceEveryTypeByEveryOperation) {
  const int port = free_port();
  RankProcesses processes(4, [&](int rank) {
    HostOptions options;
    options.memory = SMALL_PIECES;
    options.memory.by_name = GetParam();
    const auto group = open_host_group(rank, 4, port, PATIENCE, options);
    const auto memory = group->allocate(65537 * 8);
    for (DataType type : TYPES) {
      for (ReduceOp op : OPS) {
        for (std::size_t count :
             {std::size_t{0}, std::size_t{1}, std::size_t{3}, std::size_t{1000}, std::size_t{65537}}) {
          const Bytes expected = reduced(4, 0, count, type, op);
          const Bytes input = encode(values(rank, 0, count, op), type);
          Bytes output(input.size());
          run(*group, {.operation = Operation::ALL_REDUCE,
                       .type = type,
                       .op = op,
                       .input = input.data(),
                       .output = output.data(),
                       .count = count});
          EXPECT_EQ(output, expected) << name_of(type) << name_of(op) << count;
          copy(memory.get(), input);
          run(*group, {.operation = Operation::ALL_REDUCE,
                       .type = type,
                       .op = op,
                       .input = memory.get(),
                       .output = memory.get(),
                       .count = count});
          EXPECT_EQ(bytes_at(memory.get(), expected.size()), expected)
              << name_of(type) << name_of(op) << count;
        }
      }
    }
  });
  for (int rank = 0; rank < 4; ++rank) processes.expect_success(rank);
}

struct Progress {
  std::atomic<int> rounds{0};
};

/// All-reduces without end, of lengths that take every path.
void reduce_for_ever(Communicator& group, Progress& progress) {
  std::vector<float> data(20'000);
  const auto memory = group.allocate(data.size() * sizeof(float));
  for (;;) {
    for (std::size_t count : {std::size_t{2}, std::size_t{1000}, data.size()}) {
      for (void* buffer : {static_cast<void*>(data.data()), static_cast<void*>(memory.get())}) {
        run(group, {.operation = Operation::ALL_REDUCE,
                    .type = DataType::F32,
                    .op = ReduceOp::AVERAGE,
                    .input = buffer,
                    .output = buffer,
                    .count = count});
      }
    }
    ++progress.rounds;
  }
}

void await_rounds(const Shared<Progress>& progress, int rounds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (progress->rounds < rounds && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  ASSERT_GE(progress->rounds, rounds);
}

TEST(SharedMemoryFailures, AKilledRankIsNamedAndNothingStays) {
  for (int victim = 0; victim < 3; ++victim) {
    const int port = free_port();
    const Shared<Progress> progress;
    HostOptions options;
    options.label = "killed" + std::to_string(::getpid());
    RankProcesses processes(3, [&](int rank) {
      const auto group = open_host_group(rank, 3, port, PATIENCE, options);
      const Error error = error_of([&] { reduce_for_ever(*group, *progress.operator->()); });
      EXPECT_EQ(error.code(), ErrorCode::PEER_FAILED) << error.what();
      EXPECT_EQ(error.rank(), victim) << error.what();
    });
    await_rounds(progress, 30);
    EXPECT_TRUE(segments_labelled(options.label).empty()) << "the name outlives the forming of the group";
    ::kill(processes.id(victim), SIGKILL);
    for (int rank = 0; rank < 3; ++rank) {
      if (rank == victim) {
        processes.expect_killed(rank);
      } else {
        processes.expect_success(rank, 10);
      }
    }
    EXPECT_TRUE(segments_labelled(options.label).empty());
  }
}

TEST(SharedMemoryFailures, AStoppedRankTimesOut) {
  const int port = free_port();
  const Shared<Progress> progress;
  RankProcesses processes(3, [&](int rank) {
    const auto group = open_host_group(rank, 3, port, 1, {});
    const Error error = error_of([&] { reduce_for_ever(*group, *progress.operator->()); });
    EXPECT_EQ(error.code(), ErrorCode::TIMEOUT) << error.what();
    EXPECT_EQ(error.rank(), 1) << error.what();
  });
  await_rounds(progress, 30);
  ::kill(processes.id(1), SIGSTOP);
  processes.expect_success(0, 20);
  processes.expect_success(2, 20);
}

TEST(SharedMemoryFailures, TooLittleOfItSaysHowMuchIsNeeded) {
  const Shared<std::atomic<bool>> skipped;
  const int port = free_port();
  RankProcesses processes(2, [&](int rank) {
    // A /dev/shm of this process's own, which the ranks must nevertheless believe to share.
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("none", "/dev/shm", "tmpfs", 0, "size=256k") != 0) {
      skipped->store(true);
      return;
    }
    HostOptions options;
    options.host = "here";
    const Error error = error_of([&] { open_host_group(rank, 2, port, PATIENCE, options); });
    EXPECT_EQ(error.code(), ErrorCode::SYSTEM);
    EXPECT_NE(std::string(error.what()).find("KiB more in /dev/shm, which has 256 KiB left"),
              std::string::npos)
        << error.what();
  });
  processes.expect_success(0);
  processes.expect_success(1);
  if (skipped->load()) GTEST_SKIP() << "mounting a small /dev/shm needs root";
}

}  // namespace
}  // namespace lockstep::test

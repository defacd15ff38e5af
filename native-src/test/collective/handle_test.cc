// The functions that cross the JNI boundary: handles, groups of one, memory.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <latch>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "jni/boundary.h"
#include "lockstep/communicator.h"
#include "lockstep/error.h"
#include "lockstep/memory.h"
#include "ranks.h"

namespace lockstep::test {
namespace {

template <typename Enum>
std::int32_t code(Enum value) {
  return static_cast<std::int32_t>(value);
}

std::int64_t address(const void* memory) { return reinterpret_cast<std::int64_t>(memory); }

std::int32_t all_reduce(std::int64_t group, std::vector<std::int32_t>& data) {
  return lockstep::run(group, code(Operation::ALL_REDUCE), code(DataType::I32), code(ReduceOp::SUM), 0, 0,
                       address(data.data()), address(data.data()), static_cast<std::int64_t>(data.size()), 0);
}

std::int64_t start_all_reduce(std::int64_t group, std::vector<std::int32_t>& data) {
  return lockstep::start(group, code(Operation::ALL_REDUCE), code(DataType::I32), code(ReduceOp::SUM), 0, 0,
                         address(data.data()), address(data.data()), static_cast<std::int64_t>(data.size()),
                         0);
}

ErrorCode code_of(const std::function<void()>& call) { return error_of(call).code(); }

TEST(GroupOfOne, CopiesWhatEveryOtherGroupWouldCombine) {
  const std::int64_t group = open_single();
  EXPECT_EQ(communicator_rank(group), 0);
  EXPECT_EQ(communicator_size(group), 1);
  const std::vector<float> input{1.5F, -2, 3};
  for (Operation operation :
       {Operation::BROADCAST, Operation::SCATTER, Operation::GATHER, Operation::ALL_GATHER, Operation::REDUCE,
        Operation::REDUCE_SCATTER, Operation::ALL_REDUCE, Operation::ALL_TO_ALL}) {
    std::vector<float> output(3);
    lockstep::run(group, code(operation), code(DataType::F32), code(ReduceOp::AVERAGE), 0, 0,
                  address(input.data()), address(output.data()), 3, 0);
    EXPECT_EQ(output, input) << "operation " << code(operation);
  }
  lockstep::run(group, code(Operation::BARRIER), 0, 0, 0, 0, 0, 0, 0, 0);
  EXPECT_EQ(communication_bytes(group), 8 * 12);
  EXPECT_GT(communication_seconds(group), 0);
  close_communicator(group);
}

TEST(Handles, AreClosedOnceAndForAll) {
  const std::int64_t group = open_single();
  close_communicator(group);
  close_communicator(group);
  close_communicator(0);
  std::vector<std::int32_t> data{1};
  EXPECT_EQ(code_of([&] { all_reduce(group, data); }), ErrorCode::CLOSED);
  EXPECT_EQ(code_of([&] { start_all_reduce(group, data); }), ErrorCode::CLOSED);
  EXPECT_EQ(code_of([&] { communicator_rank(group); }), ErrorCode::CLOSED);
  EXPECT_EQ(code_of([&] { split(group, 0, 0); }), ErrorCode::CLOSED);
  EXPECT_NE(open_single(), group);
}

TEST(Handles, ThatWereNeverGivenOutAreRefused) {
  for (std::int64_t handle : {std::int64_t{-1}, std::numeric_limits<std::int64_t>::max()}) {
    EXPECT_EQ(code_of([&] { communicator_size(handle); }), ErrorCode::INVALID_ARGUMENT);
    EXPECT_EQ(code_of([&] { close_communicator(handle); }), ErrorCode::INVALID_ARGUMENT);
    EXPECT_EQ(code_of([&] { wait_work(handle); }), ErrorCode::INVALID_ARGUMENT);
    EXPECT_EQ(code_of([&] { work_is_done(handle); }), ErrorCode::INVALID_ARGUMENT);
  }
  EXPECT_EQ(code_of([&] { communicator_size(0); }), ErrorCode::INVALID_ARGUMENT);
}

TEST(Handles, OfWorksAreWaitedForOnce) {
  const std::int64_t group = open_single();
  std::vector<std::int32_t> data{1};
  const std::int64_t work = start_all_reduce(group, data);
  EXPECT_EQ(wait_work(work), 0);
  EXPECT_EQ(code_of([&] { wait_work(work); }), ErrorCode::CLOSED);
  EXPECT_EQ(code_of([&] { communicator_rank(work); }), ErrorCode::CLOSED) << "a work is no communicator";
  close_communicator(group);
}

TEST(Handles, OfSplitGroupsLiveOnTheirOwn) {
  const std::int64_t parent = open_single();
  const std::int64_t child = split(parent, 3, 0);
  EXPECT_EQ(split(parent, -1, 0), 0);
  close_communicator(parent);
  EXPECT_EQ(communicator_size(child), 1);
  close_communicator(child);
}

TEST(Handles, AreSafeToCloseWhileOthersUseThem) {
  for (int round = 0; round < 20; ++round) {
    run_as_ranks(2, [&](int rank) {
      const std::int64_t group =
          open_in_process(("closing" + std::to_string(round)).c_str(), rank, 2, PATIENCE);
      std::thread closer;
      if (rank == 0)
        closer = std::thread([&, round] {
          std::this_thread::sleep_for(std::chrono::microseconds(100 * round));
          close_communicator(group);
        });
      std::vector<std::int32_t> data(1000, 1);
      const Error error = error_of([&] {
        while (true) all_reduce(group, data);
      });
      EXPECT_EQ(error.code(), rank == 0 ? ErrorCode::CLOSED : ErrorCode::PEER_FAILED) << error.what();
      if (closer.joinable()) closer.join();
      close_communicator(group);
    });
  }
}

TEST(Handles, OfPendingWorksEndWithTheirCommunicator) {
  std::latch closed(1);  // Rank 1 comes only then, so that the work cannot end well before.
  run_as_ranks(2, [&](int rank) {
    const std::int64_t group = open_in_process("pending", rank, 2, PATIENCE);
    std::vector<std::int32_t> data{1};
    if (rank == 0) {
      const std::int64_t work = start_all_reduce(group, data);
      close_communicator(group);
      closed.count_down();
      EXPECT_EQ(code_of([&] { wait_work(work); }), ErrorCode::CLOSED);
    } else {
      closed.wait();
      EXPECT_EQ(code_of([&] { all_reduce(group, data); }), ErrorCode::PEER_FAILED);
      close_communicator(group);
    }
  });
}

TEST(Handles, OfReusedSlotsAreOthers) {
  std::vector<std::int64_t> seen;
  for (int round = 0; round < 3000; ++round) {
    const std::int64_t group = open_single();
    for (std::int64_t old : seen) ASSERT_NE(old, group);
    if (round % 1000 == 0) seen.push_back(group);
    close_communicator(group);
  }
  for (std::int64_t old : seen) {
    EXPECT_EQ(code_of([&] { communicator_size(old); }), ErrorCode::CLOSED);
    close_communicator(old);
  }
}

TEST(Handles, MayBeAsManyAsAnyoneNeeds) {
  std::vector<std::int64_t> groups;
  for (int i = 0; i < 2500; ++i) groups.push_back(open_single());
  for (std::int64_t group : groups) EXPECT_EQ(communicator_size(group), 1);
  for (std::int64_t group : groups) close_communicator(group);
}

// The short way into a communicator and the long one: callers, queued works and a close() at once.
TEST(Handles, CarryCallsOfManyThreadsOneAfterTheOther) {
  const std::int64_t group = open_single();
  constexpr int CALLS = 2000;
  std::atomic<int> done{0};
  const auto call = [&](bool queued) {
    std::vector<std::int32_t> data{1};
    for (int i = 0; i < CALLS; ++i) {
      if (queued) {
        wait_work(start_all_reduce(group, data));
      } else {
        all_reduce(group, data);
      }
      ++done;
    }
  };
  std::thread first(call, false), second(call, false), third(call, true);
  first.join();
  second.join();
  third.join();
  EXPECT_EQ(done, 3 * CALLS);
  EXPECT_EQ(communication_bytes(group), 3 * CALLS * 4) << "one at a time is inside";
  close_communicator(group);
}

TEST(InProcess, RanksThatDoNotComeAreNamed) {
  const Error error = error_of([] { open_in_process("absent", 1, 4, 0.05); });
  EXPECT_EQ(error.code(), ErrorCode::TIMEOUT);
  EXPECT_EQ(error.rank(), 0);
  EXPECT_NE(std::string(error.what()).find("0, 2, 3"), std::string::npos) << error.what();
}

TEST(InProcess, ARankThatIsTakenIsRefused) {
  run_as_ranks(2, [](int rank) {
    const std::int64_t group = open_in_process("taken", rank, 2, PATIENCE);
    EXPECT_EQ(code_of([&] { open_in_process("taken", rank, 2, PATIENCE); }), ErrorCode::RENDEZVOUS);
    std::vector<std::int32_t> data{1};
    all_reduce(group, data);  // Nobody leaves before the other has tried.
    close_communicator(group);
  });
}

/// Opens, or says why not.
ErrorCode try_open(const char* name, int rank, int ranks, double timeout, std::int64_t& group) {
  try {
    group = open_in_process(name, rank, ranks, timeout);
    return ErrorCode{};
  } catch (const Error& error) {
    return error.code();
  }
}

TEST(InProcess, WorldSizesMustAgree) {
  run_as_ranks(2, [](int rank) {
    std::int64_t group = 0;
    // Whoever comes second is refused; rank 1 comes until it has been, then corrects itself.
    if (rank == 0) {
      while (try_open("sizes", 0, 2, PATIENCE, group) == ErrorCode::RENDEZVOUS) {
      }
    } else {
      while (try_open("sizes", 1, 3, 0.001, group) != ErrorCode::RENDEZVOUS) {
      }
      EXPECT_EQ(try_open("sizes", 1, 2, PATIENCE, group), ErrorCode{});
    }
    EXPECT_EQ(communicator_size(group), 2);
    close_communicator(group);
  });
}

TEST(InProcess, ANameCanBeUsedAgain) {
  for (int round = 0; round < 50; ++round) {
    run_as_ranks(3, [](int rank) {
      const std::int64_t group = open_in_process("again", rank, 3, PATIENCE);
      std::vector<std::int32_t> data{1};
      all_reduce(group, data);
      EXPECT_EQ(data[0], 3);
      close_communicator(group);
      const std::int64_t second = open_in_process("again", rank, 3, PATIENCE);
      all_reduce(second, data);
      EXPECT_EQ(data[0], 9);
      close_communicator(second);
    });
  }
}

TEST(Opening, RefusesImpossibleArguments) {
  EXPECT_EQ(code_of([] { open_in_process("x", 2, 2, 1); }), ErrorCode::INVALID_ARGUMENT);
  EXPECT_EQ(code_of([] { open_in_process("x", -1, 2, 1); }), ErrorCode::INVALID_ARGUMENT);
  EXPECT_EQ(code_of([] { open_in_process("x", 0, 0, 1); }), ErrorCode::INVALID_ARGUMENT);
  EXPECT_EQ(code_of([] { open_in_process(nullptr, 0, 1, 1); }), ErrorCode::INVALID_ARGUMENT);
  EXPECT_EQ(code_of([] { open_in_process("x", 0, 1, 0); }), ErrorCode::INVALID_ARGUMENT);
  const std::int64_t group = open_single();
  EXPECT_EQ(code_of([&] { set_timeout(group, -1); }), ErrorCode::INVALID_ARGUMENT);
  EXPECT_EQ(code_of([&] { set_timeout(group, std::numeric_limits<double>::quiet_NaN()); }),
            ErrorCode::INVALID_ARGUMENT);
  set_timeout(group, std::numeric_limits<double>::infinity());
  close_communicator(group);
}

TEST(Opening, SaysWhyAnMpiBackendIsNotThere) {
  const Error missing = error_of([] { open_mpi("/nonexistent/liblockstep_mpi.so", 1, 0); });
  EXPECT_EQ(missing.code(), ErrorCode::UNAVAILABLE);
  EXPECT_NE(std::string(missing.what()).find("/nonexistent/liblockstep_mpi.so"), std::string::npos);
  EXPECT_EQ(code_of([] { open_mpi("libc.so.6", 1, 0); }), ErrorCode::UNAVAILABLE) << "it has no entry point";
}

TEST(Memory, IsAlignedAndZero) {
  for (std::int64_t bytes : {0, 1, 63, 64, 1000000}) {
    const std::int64_t memory = allocate_memory(bytes);
    EXPECT_NE(memory, 0);
    EXPECT_EQ(memory % 64, 0);
    const auto* data = reinterpret_cast<const char*>(memory);
    for (std::int64_t i = 0; i < bytes; ++i) ASSERT_EQ(data[i], 0);
    free_memory(memory);
  }
}

TEST(Memory, IsFreedOnce) {
  const std::int64_t memory = allocate_memory(8);
  free_memory(memory);
  EXPECT_EQ(code_of([&] { free_memory(memory); }), ErrorCode::INVALID_ARGUMENT);
  EXPECT_EQ(code_of([&] { free_memory(64); }), ErrorCode::INVALID_ARGUMENT);
  free_memory(0);
}

TEST(Memory, ThatThereIsNotIsRefused) {
  EXPECT_EQ(code_of([] { allocate_memory(-1); }), ErrorCode::INVALID_ARGUMENT);
  EXPECT_EQ(code_of([] { allocate_memory(std::int64_t{1} << 60); }), ErrorCode::SYSTEM);
}

TEST(Boundary, TurnsEveryExceptionIntoAnError) {
  const Error shortage = error_of([] { at_boundary([] { throw std::bad_alloc(); }); });
  EXPECT_EQ(shortage.code(), ErrorCode::SYSTEM);
  EXPECT_NE(std::string(shortage.what()).find("bad_alloc"), std::string::npos) << shortage.what();
  const Error kept = error_of([] { at_boundary([] { throw Error(ErrorCode::TIMEOUT, "late", 3); }); });
  EXPECT_EQ(kept.code(), ErrorCode::TIMEOUT);
  EXPECT_EQ(kept.rank(), 3);
}

}  // namespace
}  // namespace lockstep::test

// What communicators know about the operations that they have carried out.

#include "collective/observation/statistics.h"

#include <gtest/gtest.h>

#include <latch>
#include <map>
#include <numeric>
#include <thread>

#include "core/clock.h"
#include "lockstep/communicator.h"
#include "lockstep/statistics.h"
#include "ranks.h"
#include "tcp_group.h"

namespace lockstep::test {
namespace {

template <typename Enum>
std::int32_t code(Enum value) {
  return static_cast<std::int32_t>(value);
}

std::int64_t address(const void* memory) { return reinterpret_cast<std::int64_t>(memory); }

using Read = std::int64_t (*)(std::int64_t, std::int64_t, std::int64_t);

std::vector<std::vector<std::int64_t>> rows(Read read, std::int64_t group, std::size_t width) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(read(group, 0, 0)) + 100 * width);
  all.resize(
      static_cast<std::size_t>(read(group, address(all.data()), static_cast<std::int64_t>(all.size()))));
  std::vector<std::vector<std::int64_t>> result;
  for (std::size_t at = 0; at + width <= all.size(); at += width) {
    result.emplace_back(all.begin() + static_cast<std::ptrdiff_t>(at),
                        all.begin() + static_cast<std::ptrdiff_t>(at + width));
  }
  return result;
}

void all_reduce(std::int64_t group, std::vector<double>& data) {
  lockstep::run(group, code(Operation::ALL_REDUCE), code(DataType::F64), code(ReduceOp::MAX), 0, 0,
                address(data.data()), address(data.data()), static_cast<std::int64_t>(data.size()), 0);
}

TEST(LatencyBuckets, AreWhereTheHeaderSays) {
  for (int bucket = 0; bucket < LATENCY_BUCKETS; ++bucket) {
    const std::int64_t begin = std::int64_t{4 + bucket % 4} << (bucket / 4 + 3);
    EXPECT_EQ(latency_bucket_of(begin), bucket);
    EXPECT_EQ(latency_bucket_of(begin - 1), std::max(bucket - 1, 0));
  }
  EXPECT_EQ(latency_bucket_of(0), 0);
  EXPECT_EQ(latency_bucket_of(std::numeric_limits<std::int64_t>::max()), LATENCY_BUCKETS - 1);
}

TEST(Clock, GoesAsTheSystemsDoes) {
  calibrate_clock();
  const auto steady = [] { return std::chrono::steady_clock::now().time_since_epoch().count(); };
  const std::int64_t began = clock_nanoseconds();
  const std::int64_t steady_began = steady();
  EXPECT_NEAR(static_cast<double>(began), static_cast<double>(steady_began), 1e6);
  std::int64_t last = began;
  while (steady() - steady_began < 50'000'000) {
    const std::int64_t now = clock_nanoseconds();
    ASSERT_GE(now, last);
    last = now;
  }
  EXPECT_NEAR(static_cast<double>(clock_nanoseconds() - began), static_cast<double>(steady() - steady_began),
              2e5);
}

TEST(Statistics, CountEveryOperationByAlgorithm) {
  run_as_ranks(2, [](int rank) {
    const std::int64_t group = open_in_process("statistics", rank, 2, PATIENCE);
    std::vector<double> data(3);
    const std::int64_t before = clock_nanoseconds();
    for (int i = 0; i < 10; ++i) all_reduce(group, data);
    lockstep::run(group, code(Operation::BARRIER), 0, 0, 0, 0, 0, 0, 0, 0);
    const std::int64_t elapsed = clock_nanoseconds() - before;
    std::map<std::int64_t, std::vector<std::int64_t>> by_operation;
    for (auto& row : rows(read_statistics, group, OPERATION_ROW)) by_operation[row[0]] = row;
    ASSERT_EQ(by_operation.size(), 2);
    const auto& reduced = by_operation[code(Operation::ALL_REDUCE)];
    EXPECT_EQ(reduced[2], 10) << "calls";
    EXPECT_EQ(reduced[3], 0) << "failures";
    EXPECT_EQ(reduced[4], 10 * 24) << "bytes";
    EXPECT_GT(reduced[5], 0);
    EXPECT_LE(reduced[5], elapsed);
    EXPECT_LE(reduced[6], reduced[5]) << "waiting is a part of the time";
    EXPECT_LE(reduced[7], reduced[5]);
    EXPECT_GE(reduced[7], reduced[5] / 10) << "the longest is above the mean";
    EXPECT_EQ(std::accumulate(reduced.begin() + 8, reduced.end(), std::int64_t{0}), 10) << "histogram";
    EXPECT_EQ(by_operation[code(Operation::BARRIER)][2], 1);
    close_communicator(group);
  });
}

class PeerStatistics : public testing::TestWithParam<bool> {};

INSTANTIATE_TEST_SUITE_P(OverTcp, PeerStatistics, testing::Bool());

TEST_P(PeerStatistics, SayWhatWentToWhom) {
  const int port = free_port();
  run_as_ranks(3, [port](int rank) {
    const std::int64_t group =
        GetParam() ? open_tcp(rank, 3, "127.0.0.1", port, "a token", PATIENCE, code(MemorySharing::NEVER))
                   : open_in_process("peers", rank, 3, PATIENCE);
    std::vector<double> data(4);
    if (rank == 0) {
      lockstep::run(group, code(Operation::SEND), code(DataType::F64), 0, 2, 0, address(data.data()), 0, 4,
                    0);
    } else if (rank == 2) {
      lockstep::run(group, code(Operation::RECEIVE), code(DataType::F64), 0, ANY_RANK, 0, 0,
                    address(data.data()), 4, 0);
    }
    const auto peers = rows(read_peer_statistics, group, PEER_ROW);
    ASSERT_EQ(peers.size(), 3);
    using Row = std::vector<std::int64_t>;
    const Row nothing{0, 0, 0, 0, 0};
    EXPECT_EQ(peers[1], nothing);
    const Row& other = peers[rank == 0 ? 2 : 0];
    const Row traffic(other.begin(), other.end() - 1);
    EXPECT_EQ(traffic, rank == 0 ? (Row{1, 32, 0, 0}) : rank == 2 ? (Row{0, 0, 1, 32}) : (Row{0, 0, 0, 0}));
    lockstep::run(group, code(Operation::BARRIER), 0, 0, 0, 0, 0, 0, 0, 0);
    close_communicator(group);
  });
}

TEST(Statistics, KnowTheTimeSpentWaiting) {
  run_as_ranks(2, [](int rank) {
    const std::int64_t group = open_in_process("waiting", rank, 2, PATIENCE);
    constexpr std::int64_t LATE = 50'000'000;
    if (rank == 1) std::this_thread::sleep_for(std::chrono::nanoseconds(LATE));
    lockstep::run(group, code(Operation::BARRIER), 0, 0, 0, 0, 0, 0, 0, 0);
    const auto row = rows(read_statistics, group, OPERATION_ROW).at(0);
    const auto peers = rows(read_peer_statistics, group, PEER_ROW);
    if (rank == 0) {
      EXPECT_GT(row[6], LATE * 8 / 10);
      EXPECT_EQ(row[6], peers[1][4]) << "rank 1 is the only one to wait for";
    }
    close_communicator(group);
  });
}

TEST(OperationLog, ShowsWhatRunsAndHowItEnded) {
  std::latch seen(1);
  run_as_ranks(2, [&](int rank) {
    const std::int64_t group = open_in_process("log", rank, 2, PATIENCE);
    std::vector<double> data(3);
    if (rank == 0) {
      std::thread caller([&] { all_reduce(group, data); });
      std::vector<std::vector<std::int64_t>> log;
      while (log.empty()) log = rows(read_operation_log, group, LOG_ROW);
      EXPECT_EQ(log[0][0], 1);
      EXPECT_EQ(log[0][1], code(Operation::ALL_REDUCE));
      EXPECT_EQ(log[0][3], code(ReduceOp::MAX));
      EXPECT_EQ(log[0][6], 24);
      EXPECT_EQ(log[0][8], OPERATION_RUNNING);
      EXPECT_EQ(log[0][12], 0);
      seen.count_down();
      lockstep::run(group, code(Operation::BARRIER), 0, 0, 0, 0, 0, 0, 0, 0);
      caller.join();
      log = rows(read_operation_log, group, LOG_ROW);
      ASSERT_EQ(log.size(), 2);
      EXPECT_EQ(log[0][8], OPERATION_DONE);
      EXPECT_GE(log[0][12], log[0][11]);
    } else {
      seen.wait();
      all_reduce(group, data);
      lockstep::run(group, code(Operation::BARRIER), 0, 0, 0, 0, 0, 0, 0, 0);
    }
    close_communicator(group);
  });
}

TEST(OperationLog, KeepsTheOperationThatFailed) {
  run_as_ranks(2, [](int rank) {
    const std::int64_t group = open_in_process("failing", rank, 2, PATIENCE);
    std::vector<double> data(static_cast<std::size_t>(3 + rank));
    EXPECT_EQ(error_of([&] { all_reduce(group, data); }).code(), ErrorCode::MISMATCH);
    const auto log = rows(read_operation_log, group, LOG_ROW);
    ASSERT_EQ(log.size(), 1);
    EXPECT_EQ(log[0][8], OPERATION_FAILED);
    EXPECT_EQ(rows(read_statistics, group, OPERATION_ROW)[0][3], 1) << "failures";
    close_communicator(group);
  });
}

TEST(OperationLog, KeepsTheLastOnes) {
  const std::int64_t group = open_single();
  std::vector<double> data(1);
  for (int i = 0; i < FLIGHT_RECORDER_OPERATIONS + 10; ++i) all_reduce(group, data);
  auto log = rows(read_operation_log, group, LOG_ROW);
  ASSERT_EQ(log.size(), FLIGHT_RECORDER_OPERATIONS);
  EXPECT_EQ(log.front()[0], 11);
  EXPECT_EQ(log.back()[0], FLIGHT_RECORDER_OPERATIONS + 10);
  record_operations(group, 5);
  for (int i = 0; i < 3; ++i) all_reduce(group, data);
  log = rows(read_operation_log, group, LOG_ROW);
  ASSERT_EQ(log.size(), 3);
  EXPECT_EQ(log.front()[0], FLIGHT_RECORDER_OPERATIONS + 11);
  close_communicator(group);
}

TEST(OperationLog, MayBeReadWhileOperationsRun) {
  const std::int64_t group = open_single();
  std::thread writer([&] {
    std::vector<double> data(1);
    for (int i = 0; i < 20'000; ++i) {
      if (i % 5000 == 0) record_operations(group, 1 + i % 7);
      all_reduce(group, data);
    }
  });
  std::int64_t last = 0;
  while (last < 20'000) {
    const auto log = rows(read_operation_log, group, LOG_ROW);
    if (log.empty()) continue;
    for (const auto& row : log) {
      ASSERT_EQ(row[1], code(Operation::ALL_REDUCE));
      ASSERT_EQ(row[6], 8);
      ASSERT_TRUE(row[8] == OPERATION_RUNNING || row[12] >= row[11]) << "a record of two halves";
    }
    ASSERT_GE(log.back()[0], last);
    last = log.back()[0];
    rows(read_statistics, group, OPERATION_ROW);
  }
  writer.join();
  close_communicator(group);
}

TEST(Statistics, RefuseMisuse) {
  const std::int64_t group = open_single();
  std::vector<double> data(1);
  all_reduce(group, data);
  std::int64_t word = 77;
  for (Read read : {read_statistics, read_peer_statistics, read_operation_log}) {
    EXPECT_EQ(error_of([&] { read(group, 0, 10); }).code(), ErrorCode::INVALID_ARGUMENT);
    EXPECT_EQ(error_of([&] { read(group, -8, 10); }).code(), ErrorCode::INVALID_ARGUMENT);
    EXPECT_EQ(error_of([&] { read(group, address(&word), -1); }).code(), ErrorCode::INVALID_ARGUMENT);
    EXPECT_EQ(error_of([&] { read(12345, 0, 0); }).code(), ErrorCode::INVALID_ARGUMENT);
  }
  EXPECT_EQ(read_statistics(group, address(&word), 1), OPERATION_ROW);
  EXPECT_EQ(word, 77) << "nothing is written where all does not fit";
  for (int operations : {0, -1, MOST_RECORDED_OPERATIONS + 1}) {
    EXPECT_EQ(error_of([&] { record_operations(group, operations); }).code(), ErrorCode::INVALID_ARGUMENT);
  }
  EXPECT_EQ(error_of([&] { set_stall_seconds(group, 0); }).code(), ErrorCode::INVALID_ARGUMENT);
  EXPECT_STREQ(algorithm_name(1), "ring");
  EXPECT_STREQ(algorithm_name(-1), "unknown");
  close_communicator(group);
}

}  // namespace
}  // namespace lockstep::test

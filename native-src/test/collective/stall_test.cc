// Ranks that wait for long tell the log who waits where for whom.

#include "transport/stall.h"

#include <gtest/gtest.h>

#include <future>
#include <latch>

#include "collective/backend/transport_backend.h"
#include "core/log.h"
#include "ranks.h"
#include "tcp_group.h"

namespace lockstep::test {
namespace {

constexpr double STALL_SECONDS = 0.3;

std::vector<std::string> all_notices() {
  std::vector<std::string> notices;
  for (std::string line = take_notice(); !line.empty(); line = take_notice()) notices.push_back(line);
  return notices;
}

/// Waits for a notice and for whatever else comes until then.
std::string await_notice(const std::string& words) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (std::chrono::steady_clock::now() < limit) {
    const std::string line = take_notice();
    if (line.find(words) != std::string::npos) return line;
    if (line.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  ADD_FAILURE() << "nobody said: " << words;
  return "";
}

void expect_words(const std::string& text, const std::vector<std::string>& all) {
  for (const std::string& words : all)
    EXPECT_NE(text.find(words), std::string::npos) << words << "\n" << text;
}

RawRequest all_reduce(std::vector<float>& data) {
  const auto address = reinterpret_cast<std::int64_t>(data.data());
  return {static_cast<std::int32_t>(Operation::ALL_REDUCE), 0, 0, 0, 0, address, address,
          static_cast<std::int64_t>(data.size()),           0};
}

RawRequest barrier() { return {static_cast<std::int32_t>(Operation::BARRIER), 0, 0, 0, 0, 0, 0, 0, 0}; }

/// Ranks 0 and 1 call an all-reduce after a barrier, and rank 2 only once the log has told of the stall.
void stall_and_go_on(Communicator& communicator) {
  communicator.set_stall_seconds(STALL_SECONDS);
  communicator.run(barrier());
  if (communicator.rank() == 2) {
    const std::string text = await_notice("Stalled");
    expect_words(text, {"WARN Stalled: rank 0 waits for rank ", "in all-reduce #2 of 8 f32 by sum (0.8 s)",
                        "rank 1 waits for rank ", "in the same (",
                        "rank 2 is in no operation of this group, or does not respond",
                        "last heard of in barrier #1"});
    // Rank 1 has waited as long as rank 0, which has spoken for it.
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    for (const std::string& other : all_notices())
      EXPECT_EQ(other.find("Stalled"), std::string::npos) << other;
  }
  std::vector<float> data(8, 1);
  communicator.run(all_reduce(data));
  EXPECT_EQ(data[0], 3);
  if (communicator.rank() == 2) await_notice("The stall of rank 0 in all-reduce #2");
}

TEST(Stalls, AreToldOnceAmongThreads) {
  all_notices();
  run_with_communicators(3, {}, PATIENCE, stall_and_go_on);
}

TEST(Stalls, AreToldOnceOverTcp) {
  all_notices();
  const int port = free_port();
  run_as_ranks(3, [&](int rank) {
    TcpOptions options;
    options.rank = rank;
    options.world_size = 3;
    options.master_address = "127.0.0.1";
    options.master_port = port;
    options.token = "a token of the tests";
    Communicator communicator(make_backend(connect_tcp(options)), PATIENCE);
    stall_and_go_on(communicator);
  });
}

TEST(Stalls, OfAReceiveAreTold) {
  all_notices();
  run_with_communicators(2, {}, PATIENCE, [](Communicator& communicator) {
    communicator.set_stall_seconds(STALL_SECONDS);
    std::vector<float> data(4, 1);
    const auto address = reinterpret_cast<std::int64_t>(data.data());
    if (communicator.rank() == 0) {
      communicator.run({static_cast<std::int32_t>(Operation::RECEIVE), 0, 0, 1, 7, 0, address, 4, 0});
    } else {
      expect_words(await_notice("Stalled"), {"rank 0 waits for rank 1 in send of 4 f32 with tag 7"});
      communicator.run({static_cast<std::int32_t>(Operation::SEND), 0, 0, 0, 7, address, 0, 4, 0});
    }
  });
}

TEST(Stalls, AreNoneWhereOperationsEndInTime) {
  all_notices();
  run_with_communicators(3, {}, PATIENCE, [](Communicator& communicator) {
    std::vector<float> data(8, 1);
    for (int i = 0; i < 100; ++i) communicator.run(all_reduce(data));
  });
  EXPECT_TRUE(all_notices().empty());
}

TEST(StallReports, ComeFromTheLowestRankThatHasWaitedForLong) {
  Signature signature;
  signature.sequence = 7;
  std::vector<WaitReport> wait_reports(3);
  wait_reports[0].pending = PendingOperation{signature, 2, 9.5};
  EXPECT_FALSE(stall_report(1, {signature, 2, 10}, wait_reports, 10));
  wait_reports[0].pending->seconds = 3;
  const auto text = stall_report(1, {signature, 2, 10}, wait_reports, 10);
  ASSERT_TRUE(text) << "rank 0 has come late and does not speak yet";
  expect_words(*text,
               {"rank 1 waits for rank 2 in barrier #7 (10.0 s)", "rank 0 waits for rank 2 in the same"});
  wait_reports[2].has_left = true;
  expect_words(*stall_report(1, {signature, 2, 10}, wait_reports, 10), {"rank 2 has left the group"});
}

}  // namespace
}  // namespace lockstep::test

// Timeouts name the rank that is silent, not one that waits for it as well.

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <vector>

#include "processes.h"
#include "ranks.h"
#include "tcp_group.h"

namespace lockstep::test {
namespace {

/// Rank 0 waits for rank 1, and rank 1 for rank 2, in this operation or in one before it. Rank 0 gives up
/// first.
void wait_in_a_row(Transport& transport, std::uint64_t sequence_of_rank_0) {
  const std::atomic<bool> never{false};
  const Deadline deadline(std::chrono::duration<double>(transport.rank() == 0 ? 2 : 20), never);
  std::vector<std::byte> bytes(8);
  const std::uint64_t sequence = transport.rank() == 0 ? sequence_of_rank_0 : 7;
  receive(transport, transport.rank() + 1, collective(sequence, 8), bytes, deadline);
}

void expect_that_rank_2_is_named(std::uint64_t sequence_of_rank_0) {
  TcpGroup group(3);
  std::promise<void> given_up;
  auto errors = group.run([&](Transport& transport, const Deadline& deadline) {
    if (transport.rank() == 2) {
      given_up.get_future().wait();
      wait_forever(transport, 0, deadline);
    }
    try {
      wait_in_a_row(transport, sequence_of_rank_0);
    } catch (...) {
      if (transport.rank() == 0) given_up.set_value();
      throw;
    }
  });
  expect_error(errors[0], ErrorCode::TIMEOUT, 2, "2 s for rank 1, which waits for rank 2, in all-reduce #");
  expect_error(errors[1], ErrorCode::TIMEOUT, 2, "Rank 0 ended the group");
}

TEST(SilentRank, IsNamedOverTcp) { expect_that_rank_2_is_named(7); }

TEST(SilentRank, IsNamedWhereTheAwaitedRankHasNotComeToTheOperation) { expect_that_rank_2_is_named(8); }

TEST(SilentRank, IsNamedInSharedMemory) {
  std::promise<void> given_up;
  std::shared_future<void> has_given_up = given_up.get_future().share();
  run_as_ranks(3, [&](int rank) {
    auto flat = join_in_process_only("silent", rank, 3);
    auto memory = share_memory_of(*flat, {});
    if (rank == 2) return has_given_up.wait();
    const Error error = error_of([&] { wait_in_a_row(*memory, 7); });
    EXPECT_EQ(error.code(), ErrorCode::TIMEOUT);
    EXPECT_EQ(error.rank(), 2) << error.what();
    if (rank == 0) given_up.set_value();
  });
}

}  // namespace
}  // namespace lockstep::test

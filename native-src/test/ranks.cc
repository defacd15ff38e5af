#include "ranks.h"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <thread>
#include <vector>

#include "collective/algorithms/ring.h"
#include "collective/backend/transport_backend.h"
#include "transport/shared_memory/formation.h"

namespace lockstep::test {
namespace {

std::string current_test() {
  const testing::TestInfo* info = testing::UnitTest::GetInstance()->current_test_info();
  return info == nullptr ? "no test" : std::string(info->test_suite_name()) + "." + info->name();
}

}  // namespace

void run_as_ranks(int ranks, const std::function<void(int)>& body, double hard_deadline) {
  std::vector<std::promise<void>> ends(static_cast<std::size_t>(ranks));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] {
      try {
        body(rank);
      } catch (const std::exception& error) {
        ADD_FAILURE() << "rank " << rank << " threw: " << error.what();
      }
      ends[rank].set_value();
    });
  }
  const auto limit = std::chrono::steady_clock::now() + std::chrono::duration<double>(hard_deadline);
  for (int rank = 0; rank < ranks; ++rank) {
    if (ends[rank].get_future().wait_until(limit) != std::future_status::ready) {
      std::fprintf(stderr, "%s: rank %d hangs.\n", current_test().c_str(), rank);
      std::_Exit(EXIT_FAILURE);
    }
  }
  for (std::thread& thread : threads) thread.join();
}

bool tests_shared_memory() {
  const char* transport = std::getenv("LOCKSTEP_TEST_TRANSPORT");
  return transport != nullptr && std::string(transport) == "shared-memory";
}

std::unique_ptr<Transport> join_in_process_only(const std::string& group, int rank, int ranks) {
  static const std::atomic<bool> never{false};
  const Deadline deadline(std::chrono::duration<double>(PATIENCE), never);
  return join_in_process(current_test() + "/" + group, rank, ranks, deadline);
}

std::unique_ptr<Transport> join(const std::string& group, int rank, int ranks) {
  auto transport = join_in_process_only(group, rank, ranks);
  if (!tests_shared_memory() || ranks == 1) return transport;
  auto shared = share_memory_of(*transport, SMALL_PIECES);
  transport->close();
  return shared;
}

std::unique_ptr<SharedMemoryTransport> share_memory_of(Transport& transport,
                                                       const SharedMemoryOptions& options) {
  static const std::atomic<bool> never{false};
  const Deadline deadline(std::chrono::duration<double>(PATIENCE), never);
  Scratch scratch;
  std::uint64_t number = 0;
  auto exchange = [&](const shared_memory::Report& own) {
    std::vector<shared_memory::Report> all(static_cast<std::size_t>(transport.size()));
    const CollectiveContext collective{transport, deadline, Signature{.sequence = ++number}, scratch,
                                       1 << 20};
    ring_all_gather({collective, Blocks::of_equal_count(sizeof(own), transport.size()),
                     reinterpret_cast<const std::byte*>(&own), reinterpret_cast<std::byte*>(all.data())});
    return all;
  };
  std::string reason;
  auto memory =
      shared_memory::form({transport.rank(), transport.size(), 0, "test"}, options, exchange, reason);
  if (memory == nullptr) throw Error(ErrorCode::SYSTEM, reason);
  return std::make_unique<SharedMemoryTransport>(std::move(memory), options);
}

void run_with_communicators(int ranks, const Tuning& tuning, double timeout,
                            const std::function<void(Communicator&)>& body) {
  run_as_ranks(ranks, [&](int rank) {
    Communicator communicator(make_backend(join("", rank, ranks), tuning), timeout);
    body(communicator);
  });
}

Tuning tuning_for(Algorithm algorithm, std::size_t segment_bytes) {
  return {.segment_bytes = segment_bytes, .rows = {{.algorithm = algorithm}}};
}

Error error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Error(ErrorCode::SYSTEM, "nothing was thrown");
}

}  // namespace lockstep::test

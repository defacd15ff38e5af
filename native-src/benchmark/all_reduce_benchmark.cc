// Times both all-reduce algorithms over loopback TCP, for the threshold in collective/select.h, and one
// 8-byte all-reduce through the JNI boundary in a group of one. Ranks are threads.
//
//   all_reduce_benchmark [ranks …]     (default 2 4)

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "collective/transport_backend.h"
#include "lockstep/communicator.h"
#include "test/tcp_group.h"
#include "transport/tcp/tcp_transport.h"

namespace lockstep {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t SIZES[] = {8,         1 << 10,   4 << 10, 16 << 10, 32 << 10, 64 << 10,
                                 128 << 10, 256 << 10, 1 << 20, 4 << 20,  16 << 20};

/// Median microseconds of an all-reduce of `bytes` of f32, as rank 0 sees it.
double median_microseconds(Backend& group, std::size_t bytes) {
  const std::atomic<bool> never{false};
  std::vector<float> data(std::max<std::size_t>(bytes / sizeof(float), 1));
  const std::size_t repetitions = std::clamp<std::size_t>((std::size_t{32} << 20) / bytes, 7, 400);
  std::vector<double> times;
  for (std::size_t i = 0; i < repetitions + 3; ++i) {
    std::fill(data.begin(), data.end(), 1.0F);
    Request request;
    const Deadline deadline(std::chrono::seconds(60), never);
    group.execute(request, deadline);  // A barrier, so that all begin together.
    request.operation = Operation::ALL_REDUCE;
    request.type = DataType::F32;
    request.input = reinterpret_cast<const std::byte*>(data.data());
    request.output = reinterpret_cast<std::byte*>(data.data());
    request.count = data.size();
    const auto began = Clock::now();
    group.execute(request, deadline);
    times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - began).count());
  }
  times.erase(times.begin(), times.begin() + 3);
  std::ranges::sort(times);
  return times[times.size() / 2];
}

std::vector<double> measure(int ranks, const Tuning& tuning) {
  const int port = test::free_port();
  std::vector<double> medians;
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] {
      TcpOptions options;
      options.rank = rank;
      options.world_size = ranks;
      options.master_address = "127.0.0.1";
      options.master_port = port;
      options.token = "benchmark";
      auto group = make_backend(connect_tcp(options), tuning);
      for (std::size_t bytes : SIZES) {
        const double median = median_microseconds(*group, bytes);
        if (rank == 0) medians.push_back(median);
      }
      group->close();
    });
  }
  for (std::thread& thread : threads) thread.join();
  return medians;
}

void compare(int ranks) {
  const std::vector<double> doubling = measure(ranks, {.recursive_doubling_below = SIZE_MAX});
  const std::vector<double> ring = measure(ranks, {.recursive_doubling_below = 0});
  std::printf("%d ranks over loopback TCP, median microseconds\n%12s %20s %10s\n", ranks, "bytes",
              "recursive doubling", "ring");
  for (std::size_t i = 0; i < std::size(SIZES); ++i) {
    std::printf("%12zu %20.1f %10.1f\n", SIZES[i], doubling[i], ring[i]);
  }
}

void time_one_call() {
  const std::int64_t group = open_single();
  double in = 1;
  double out = 0;
  constexpr int CALLS = 1'000'000;
  const auto began = Clock::now();
  for (int i = 0; i < CALLS; ++i) {
    run(group, static_cast<std::int32_t>(Operation::ALL_REDUCE), static_cast<std::int32_t>(DataType::F64), 0,
        0, 0, reinterpret_cast<std::int64_t>(&in), reinterpret_cast<std::int64_t>(&out), 1, 0);
  }
  const double nanoseconds = std::chrono::duration<double, std::nano>(Clock::now() - began).count() / CALLS;
  std::printf("8-byte all-reduce in a group of one: %.0f ns\n", nanoseconds);
  close_communicator(group);
}

}  // namespace
}  // namespace lockstep

int main(int argc, char** argv) {
  lockstep::time_one_call();
  std::vector<int> worlds;
  for (int i = 1; i < argc; ++i) worlds.push_back(std::atoi(argv[i]));
  if (worlds.empty()) worlds = {2, 4};
  for (int ranks : worlds) lockstep::compare(ranks);
}

// Times the all-reduce algorithms over loopback TCP, for the defaults in collective/choice/tuning.cc, and one
// 8-byte all-reduce through the JNI boundary in a group of one. Ranks are threads.
//
//   all_reduce_benchmark [--algorithm NAME …] [ranks …]     (default all of them, 2 4)

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>
#include <vector>

#include "collective/backend/transport_backend.h"
#include "collective/choice/algorithm.h"
#include "collective/choice/select.h"
#include "lockstep/communicator.h"
#include "test/tcp_group.h"
#include "transport/tcp/mesh/tcp_transport.h"

namespace lockstep {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t SIZES[] = {8,         1 << 10,   4 << 10, 16 << 10, 32 << 10, 64 << 10,
                                 128 << 10, 256 << 10, 1 << 20, 4 << 20,  16 << 20};

/// Microseconds of one all-reduce of f32, as this rank sees it.
double microseconds(Backend& group, std::vector<float>& data) {
  static const std::atomic<bool> never{false};
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
  return std::chrono::duration<double, std::micro>(Clock::now() - began).count();
}

void take_slowest(Backend& group, std::vector<double>& times) {
  static const std::atomic<bool> never{false};
  Request request;
  request.operation = Operation::ALL_REDUCE;
  request.type = DataType::F64;
  request.op = ReduceOp::MAX;
  request.input = reinterpret_cast<const std::byte*>(times.data());
  request.output = reinterpret_cast<std::byte*>(times.data());
  request.count = times.size();
  group.execute(request, Deadline(std::chrono::seconds(60), never));
}

/// Medians by algorithm, whose runs alternate so that what else the machine does meets all alike.
std::vector<double> medians(Backend& group, std::size_t bytes, const std::vector<Algorithm>& algorithms) {
  std::vector<float> data(std::max<std::size_t>(bytes / sizeof(float), 1));
  const std::size_t repetitions = std::clamp<std::size_t>((std::size_t{32} << 20) / bytes, 9, 400);
  std::vector<std::vector<double>> times(algorithms.size());
  for (std::size_t i = 0; i < repetitions + 3; ++i) {
    for (std::size_t k = 0; k < algorithms.size(); ++k) {
      group.use_algorithm(Operation::ALL_REDUCE, algorithms[k]);
      const double time = microseconds(group, data);
      if (i >= 3) times[k].push_back(time);
    }
  }
  std::vector<double> result;
  for (std::vector<double>& each : times) {
    // The root of a tree is done before its leaves: an operation takes as long as its slowest rank.
    take_slowest(group, each);
    std::ranges::sort(each);
    result.push_back(each[each.size() / 2]);
  }
  return result;
}

void compare(int ranks, const std::vector<Algorithm>& algorithms) {
  const int port = test::free_port();
  std::printf("%d ranks over loopback TCP, median microseconds\n%12s", ranks, "bytes");
  for (Algorithm algorithm : algorithms) std::printf(" %18s", name_of(algorithm).c_str());
  std::printf("\n");
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] {
      TcpOptions options;
      options.rank = rank;
      options.world_size = ranks;
      options.master_address = "127.0.0.1";
      options.master_port = port;
      options.token = "benchmark";
      auto group = make_backend(connect_tcp(options));
      for (std::size_t bytes : SIZES) {
        const std::vector<double> row = medians(*group, bytes, algorithms);
        if (rank != 0) continue;
        std::printf("%12zu", bytes);
        for (double median : row) std::printf(" %18.1f", median);
        std::printf("\n");
        std::fflush(stdout);
      }
      group->close();
    });
  }
  for (std::thread& thread : threads) thread.join();
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
  using namespace lockstep;
  std::vector<int> worlds;
  std::vector<Algorithm> algorithms;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) != "--algorithm") {
      worlds.push_back(std::atoi(argv[i]));
    } else if (const auto algorithm = algorithm_from(std::string_view(++i < argc ? argv[i] : ""))) {
      algorithms.push_back(*algorithm);
    } else {
      std::fprintf(stderr, "--algorithm takes the name of an algorithm\n");
      return EXIT_FAILURE;
    }
  }
  const auto all = algorithms_of(Operation::ALL_REDUCE);
  if (algorithms.empty()) algorithms.assign(all.begin(), all.end());
  if (worlds.empty()) worlds = {2, 4};
  time_one_call();
  for (int ranks : worlds) compare(ranks, algorithms);
}

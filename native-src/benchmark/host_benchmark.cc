// All-reduce of f32 and exchanges of messages between processes of this host, in shared memory:
//   cmake --build --preset release --target host_benchmark && build/release/bin/host_benchmark [ranks
//   [cores]]
// Every rank rewrites its input before each operation and reads the result after it, outside the timed part.
// An iteration takes as long as its slowest rank; medians and tenths are printed (of a busy machine, the
// tenths say more).

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "channel/channels.h"
#include "collective/backend/transport_backend.h"
#include "collective/communicator/communicator.h"
#include "collective/hosts/hosts.h"
#include "transport/tcp/mesh/tcp_transport.h"

namespace {

using namespace lockstep;
using Clock = std::chrono::steady_clock;

RawRequest request(Operation operation, DataType type, ReduceOp op, const void* input, void* output,
                   std::size_t count) {
  return {static_cast<int>(operation),
          static_cast<int>(type),
          static_cast<int>(op),
          0,
          0,
          reinterpret_cast<std::int64_t>(input),
          reinterpret_cast<std::int64_t>(output),
          static_cast<std::int64_t>(count),
          0};
}

void print(Communicator& group, std::size_t bytes, const char* what, std::vector<double>& times) {
  group.run(
      request(Operation::ALL_REDUCE, DataType::F64, ReduceOp::MAX, times.data(), times.data(), times.size()));
  std::ranges::sort(times);
  if (group.rank() == 0)
    std::printf("%10zu %-10s %12.2f %12.2f\n", bytes, what, times[times.size() / 2],
                times[times.size() / 10]);
}

/// Each rank sends to the next and receives from the one before.
void measure_exchange(Communicator& group, std::size_t bytes) {
  std::vector<std::byte> out(bytes);
  std::vector<std::byte> in(bytes);
  const int ranks = group.size();
  const Transfer transfers[] = {
      {false, DataType::U8, (group.rank() + ranks - 1) % ranks, 0, in.data(), bytes},
      {true, DataType::U8, (group.rank() + 1) % ranks, 0, out.data(), bytes},
  };
  const RawRequest barrier = request(Operation::BARRIER, DataType::U8, ReduceOp::SUM, nullptr, nullptr, 0);
  std::vector<double> times;
  for (int i = -200; i < 4000; ++i) {
    std::ranges::fill(out, static_cast<std::byte>(group.rank() + i));
    group.run(barrier);
    const auto begin = Clock::now();
    group.channels().exchange(transfers, Channels::Seconds(60));
    const auto end = Clock::now();
    if (i >= 0) times.push_back(std::chrono::duration<double, std::micro>(end - begin).count());
    const auto expected = static_cast<std::byte>((group.rank() + ranks - 1) % ranks + i);
    if (std::ranges::count(in, expected) != static_cast<std::ptrdiff_t>(bytes)) std::printf("WRONG\n");
  }
  print(group, bytes, "exchange", times);
}

void measure(Communicator& group, float* data, std::size_t count, bool registered) {
  const std::size_t bytes = count * sizeof(float);
  const int iterations = bytes <= (64 << 10) ? 2000 : bytes <= (1 << 20) ? 300 : bytes <= (16 << 20) ? 30 : 8;
  std::vector<double> times;
  const RawRequest barrier = request(Operation::BARRIER, DataType::U8, ReduceOp::SUM, nullptr, nullptr, 0);
  for (int i = -iterations / 10 - 2; i < iterations; ++i) {
    for (std::size_t k = 0; k < count; ++k) data[k] = static_cast<float>(group.rank() + i % 7);
    group.run(barrier);
    const auto begin = Clock::now();
    group.run(request(Operation::ALL_REDUCE, DataType::F32, ReduceOp::SUM, data, data, count));
    const auto end = Clock::now();
    if (i >= 0) times.push_back(std::chrono::duration<double, std::micro>(end - begin).count());
    float sum = 0;
    const int p = group.size();
    const auto expected = static_cast<float>(p * (p - 1) / 2 + p * (i % 7));
    for (std::size_t k = 0; k < count; ++k) sum += data[k] != expected ? 1.0F : 0.0F;
    if (sum != 0) std::printf("WRONG: %g elements of %zu\n", sum, count);
  }
  print(group, bytes, registered ? "registered" : "plain", times);
}

void run_rank(int rank, int ranks, int cores, int port) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (cores >= ranks) {
    CPU_SET(rank, &set);
  } else {
    for (int core = 0; core < cores; ++core) CPU_SET(core, &set);
  }
  sched_setaffinity(0, sizeof(set), &set);
  const std::atomic<bool> never{false};
  const Deadline deadline(std::chrono::duration<double>(30), never);
  TcpOptions options;
  options.rank = rank;
  options.world_size = ranks;
  options.master_address = "127.0.0.1";
  options.master_port = port;
  HostOptions host;
  host.is_required = true;
  auto flat = std::make_unique<TransportBackend>(connect_tcp(options));
  Communicator group(share_hosts(std::move(flat), false, host, deadline), 60);
  const std::size_t largest = std::size_t{128} << 20;
  auto registered = group.allocate(largest);
  std::vector<float> plain(largest / sizeof(float));
  const char* only = std::getenv("SIZES");  // such as "8 1024"
  for (std::size_t bytes : {std::size_t{8}, std::size_t{1} << 10, std::size_t{4} << 10, std::size_t{64} << 10,
                            std::size_t{256} << 10, std::size_t{1} << 20, std::size_t{16} << 20, largest}) {
    if (only != nullptr && !std::strstr(only, std::to_string(bytes).c_str())) continue;
    measure(group, plain.data(), bytes / sizeof(float), false);
    measure(group, reinterpret_cast<float*>(registered.get()), bytes / sizeof(float), true);
    if (bytes <= (std::size_t{1} << 20)) measure_exchange(group, bytes);
  }
}

}  // namespace

int main(int count, char** arguments) {
  const int ranks = count > 1 ? std::atoi(arguments[1]) : 2;
  const int cores = count > 2 ? std::atoi(arguments[2]) : 2;
  const int port = 20000 + getpid() % 20000;
  for (int rank = 1; rank < ranks; ++rank) {
    if (fork() == 0) {
      run_rank(rank, ranks, cores, port);
      return 0;
    }
  }
  run_rank(0, ranks, cores, port);
  while (wait(nullptr) > 0) {
  }
  return 0;
}

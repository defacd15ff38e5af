#include "processes.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "collective/backend/transport_backend.h"
#include "transport/tcp/mesh/tcp_transport.h"

namespace lockstep::test {
namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void run_and_exit(int rank, const std::function<void(int)>& body) {
  try {
    body(rank);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rank %d threw: %s\n", rank, error.what());
    std::_Exit(1);
  }
  // Not exit(): what the test holds is the parent's to end.
  std::fflush(nullptr);
  std::_Exit(testing::Test::HasFailure() ? 1 : 0);
}

}  // namespace

RankProcesses::RankProcesses(int ranks, const std::function<void(int)>& body) {
  std::fflush(nullptr);
  for (int rank = 0; rank < ranks; ++rank) {
    const pid_t id = ::fork();
    if (id == 0) run_and_exit(rank, body);
    ids_.push_back(id);
  }
}

RankProcesses::~RankProcesses() {
  for (pid_t id : ids_) {
    if (id <= 0) continue;
    ::kill(id, SIGKILL);
    ::waitpid(id, nullptr, 0);
  }
}

int RankProcesses::status_of(int rank, double seconds) {
  pid_t& id = ids_[static_cast<std::size_t>(rank)];
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  int status = 0;
  while (::waitpid(id, &status, WNOHANG) == 0) {
    if (Clock::now() > end) {
      ADD_FAILURE() << "rank " << rank << " has not ended after " << seconds << " s";
      return -1;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  id = 0;
  return status;
}

void RankProcesses::expect_success(int rank, double seconds) {
  const int status = status_of(rank, seconds);
  EXPECT_TRUE(status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
      << "rank " << rank << " ended with status " << status << "; its output is above";
}

void RankProcesses::expect_killed(int rank) {
  const int status = status_of(rank, 60);
  EXPECT_TRUE(status >= 0 && WIFSIGNALED(status)) << "rank " << rank << " ended with status " << status;
}

std::unique_ptr<Communicator> open_host_group(int rank, int ranks, int port, double timeout,
                                              const HostOptions& options) {
  static const std::atomic<bool> never{false};
  const Deadline deadline(std::chrono::duration<double>(30), never);
  TcpOptions tcp;
  tcp.rank = rank;
  tcp.world_size = ranks;
  tcp.master_address = "127.0.0.1";
  tcp.master_port = port;
  tcp.token = "test";
  HostOptions required = options;
  required.is_required = true;
  auto backend = share_hosts(make_backend(connect_tcp(tcp)), false, required, deadline);
  return std::make_unique<Communicator>(std::move(backend), timeout);
}

std::vector<std::string> segments_labelled(const std::string& label) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator("/dev/shm")) {
    const std::string name = entry.path().filename();
    if (name.find("lockstep-" + label) == 0) names.push_back(name);
  }
  return names;
}

}  // namespace lockstep::test

// One rank of a job in which something goes wrong. mpi_failure_test starts it through mpirun and reads what
// each rank says: "rank R code C at A after S s: message".
//
// mpi_failing_rank <scenario> <folder>; ranks tell each other through files in the folder where MPI is out of
// the game.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "lockstep/communicator.h"
#include "lockstep/error.h"

namespace {

using namespace lockstep;
using Clock = std::chrono::steady_clock;

constexpr double LONG_TIMEOUT = 40;
constexpr double SHORT_TIMEOUT = 0.5;

std::int64_t group = 0;
std::filesystem::path folder;

/// Blocks until some rank has called announce(), at most 20 seconds.
void await(const std::string& event) {
  for (const auto end = Clock::now() + std::chrono::seconds(20); Clock::now() < end;) {
    if (std::filesystem::exists(folder / event)) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  std::printf("nobody announced %s\n", event.c_str());
}

void announce(const std::string& event) { std::ofstream(folder / event) << '\n'; }

void run(Operation operation, std::size_t count = 0, int peer = 0) {
  static std::vector<float> input(1 << 20);
  static std::vector<float> output(1 << 20);
  const auto in = reinterpret_cast<std::int64_t>(input.data());
  const auto out = reinterpret_cast<std::int64_t>(output.data());
  lockstep::run(group, static_cast<int>(operation), 0, 0, peer, 0, operation == Operation::RECEIVE ? 0 : in,
                operation == Operation::SEND ? 0 : out, static_cast<std::int64_t>(count), 0);
}

void missing(int rank) {
  set_timeout(group, SHORT_TIMEOUT);
  if (rank == 1) {
    for (int other : {0, 2}) await("reported " + std::to_string(other));
  }
  run(Operation::ALL_REDUCE, 100);
}

void killed(int rank) {
  std::thread killer;
  if (rank == 1) {
    killer = std::thread([] {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      raise(SIGKILL);
    });
  }
  for (;;) run(Operation::ALL_REDUCE, 1 << 20);
}

void left(int rank) {
  if (rank == 1) {
    close_communicator(group);
    return;
  }
  run(Operation::ALL_REDUCE, 100);
}

void wrong_length(int rank) {
  if (rank == 0) run(Operation::SEND, 3, 1);
  if (rank != 1) return run(Operation::BARRIER);
  try {
    run(Operation::RECEIVE, 2, 0);
  } catch (const Error&) {
    run(Operation::BARRIER);
    throw;
  }
}

/// The others need rank 0 twice: to agree on the call, and for the data, which it never sends. (A barrier
/// that all ranks have entered may end well at some of them.)
void cancelled(int rank) {
  constexpr int COUNT = 1 << 20;
  if (rank != 0) {
    await("reported 0");
    return run(Operation::ALL_REDUCE, COUNT);
  }
  static std::vector<float> input(COUNT);
  static std::vector<float> output(COUNT);
  const auto in = reinterpret_cast<std::int64_t>(input.data());
  const auto out = reinterpret_cast<std::int64_t>(output.data());
  const std::int64_t work =
      start(group, static_cast<int>(Operation::ALL_REDUCE), 0, 0, 0, 0, in, out, COUNT, 0);
  close_communicator(group);
  wait_work(work);
}

int play(const std::string& scenario) {
  const auto began = Clock::now();
  int rank = -1;
  try {
    group = open_mpi(std::getenv("LOCKSTEP_MPI_PLUGIN"), LONG_TIMEOUT, 0);
    rank = communicator_rank(group);
    run(Operation::BARRIER);
    if (scenario == "missing") missing(rank);
    if (scenario == "killed") killed(rank);
    if (scenario == "left") left(rank);
    if (scenario == "wrong_length") wrong_length(rank);
    if (scenario == "cancelled") cancelled(rank);
    std::printf("rank %d ended well\n", rank);
  } catch (const Error& error) {
    const std::chrono::duration<double> seconds = Clock::now() - began;
    std::printf("rank %d code %d at %d after %.3f s: %s\n", rank, static_cast<int>(error.code()),
                error.rank(), seconds.count(), error.what());
  }
  std::fflush(stdout);
  announce("reported " + std::to_string(rank));
  close_communicator(group);
  return 0;
}

int launched_ranks() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"}) {
    if (const char* value = std::getenv(name)) return std::atoi(value);
  }
  return 1;
}

}  // namespace

/// The rank proper is a child, so that the launcher, which would end the survivors, learns of its death late.
/// It also asks the others to end when the first has, which they may do after their report.
int main(int, char** arguments) {
  signal(SIGTERM, SIG_IGN);
  folder = arguments[2];
  const pid_t child = fork();
  if (child == 0) return play(arguments[1]);
  int status = 0;
  waitpid(child, &status, 0);
  if (std::string(arguments[1]) == "alone") return 0;
  const bool one_dies = std::string(arguments[1]) == "killed";
  for (int rank = 0; rank < launched_ranks(); ++rank) {
    if (!one_dies || rank != 1) await("reported " + std::to_string(rank));
  }
  return 0;
}

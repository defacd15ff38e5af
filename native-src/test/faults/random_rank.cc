// One rank of a group that runs random operations and checks each:
//   RANK=… WORLD_SIZE=… MASTER_ADDR=… MASTER_PORT=… LOCKSTEP_TOKEN=… random_rank
//   tcp|shared-memory|hierarchical
//     [--seed N] [--rounds N] [--timeout SECONDS] [--join SECONDS] [--longest ELEMENTS] [--label TEXT]
//     [--progress FILE]
// Runs until all rounds are done or, through FILE (progress.h), it is asked to end. Prints one line at the
// end and exits with 0, 10 + the ErrorCode, 3 for a wrong result, 4 where a group lives on after an error, 2
// for wrong arguments.

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "collective/backend/transport_backend.h"
#include "collective/hosts/hosts.h"
#include "core/data_type.h"
#include "lockstep/error.h"
#include "program.h"
#include "transport/tcp/mesh/tcp_transport.h"

namespace lockstep::test {
namespace {

constexpr int EXIT_WRONG_ARGUMENTS = 2;
constexpr int EXIT_WRONG_RESULT = 3;
constexpr int EXIT_LIVES_ON = 4;
constexpr int EXIT_ERROR = 10;
constexpr unsigned ROUNDS_BETWEEN_QUESTIONS = 4;

class Arguments {
 public:
  Arguments(int argc, char** argv) : transport(argc > 1 ? argv[1] : "") {
    for (int i = 2; i + 1 < argc; i += 2) values_[argv[i]] = argv[i + 1];
  }

  std::string text(const std::string& name, const std::string& otherwise) const {
    const auto found = values_.find(name);
    return found == values_.end() ? otherwise : found->second;
  }
  std::uint64_t number(const std::string& name, std::uint64_t otherwise) const {
    return std::stoull(text(name, std::to_string(otherwise)));
  }

  const std::string transport;

 private:
  std::map<std::string, std::string> values_;
};

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) throw std::invalid_argument(std::string(name) + " is not set.");
  return value;
}

TcpOptions tcp_options(double patience) {
  TcpOptions options;
  options.rank = std::stoi(environment("RANK"));
  options.world_size = std::stoi(environment("WORLD_SIZE"));
  options.master_address = environment("MASTER_ADDR");
  options.master_port = std::stoi(environment("MASTER_PORT"));
  options.token = environment("LOCKSTEP_TOKEN");
  options.timeout_seconds = patience;
  return options;
}

std::unique_ptr<Backend> open_backend(const Arguments& arguments, unsigned seed) {
  const auto patience = static_cast<double>(arguments.number("--join", 30));
  auto flat = make_backend(connect_tcp(tcp_options(patience)));
  if (arguments.transport == "tcp") return flat;
  // Small pieces, so that short vectors need several.
  constexpr std::size_t PIECES[] = {4096, 16384, 131072};
  HostOptions options;
  options.memory = {.staging_bytes = PIECES[seed % 3], .channel_bytes = PIECES[seed / 3 % 3]};
  options.label = arguments.text("--label", "random");
  options.is_required = true;
  const std::atomic<bool> never{false};
  return share_hosts(std::move(flat), false, options,
                     Deadline(std::chrono::duration<double>(patience), never));
}

void check_is_closed(Communicator& group) {
  try {
    run(group, {});
  } catch (const Error& error) {
    if (error.code() == ErrorCode::CLOSED) return;
  }
  std::printf("The group lives on after the error.\n");
  std::fflush(stdout);
  std::_Exit(EXIT_LIVES_ON);
}

int report(const Error& error, const std::string& where) {
  std::printf("ERROR %d rank %d %s: %s\n", static_cast<int>(error.code()), error.rank(), where.c_str(),
              error.what());
  return EXIT_ERROR + static_cast<int>(error.code());
}

int run_program(Communicator& group, const Arguments& arguments, unsigned seed, Progress& progress) {
  Program program(group, progress, seed, std::max<std::size_t>(arguments.number("--longest", 20000), 300));
  const std::uint64_t rounds = arguments.number("--rounds", UINT64_MAX);
  try {
    group.use_tuning(format_tuning({.segment_bytes = std::size_t{1} << (10 + seed % 8)}), "random_rank");
    for (std::uint64_t i = 1; i <= rounds; ++i) {
      program.run_round();
      if (i % ROUNDS_BETWEEN_QUESTIONS == 0 && program.is_over()) break;
    }
  } catch (const Error& error) {
    const int code =
        report(error, "round " + std::to_string(program.round()) + " " + name_of(program.operation()));
    if (program.operation() == Operation::SEND) {
      group.close();  // an error of messages leaves the group whole; this rank leaves it, as a program would
    } else {
      check_is_closed(group);
    }
    return code;
  } catch (const WrongResult& wrong) {
    std::printf("WRONG %s\n", wrong.what());
    return EXIT_WRONG_RESULT;
  }
  std::printf("OK %llu rounds over %s\n", static_cast<unsigned long long>(program.round()),
              group.backend_name().c_str());
  return EXIT_SUCCESS;
}

int run_rank(const Arguments& arguments) {
  Progress progress(arguments.text("--progress", ""));
  const auto seed = static_cast<unsigned>(arguments.number("--seed", 1));
  std::unique_ptr<Communicator> group;
  try {
    const auto timeout = static_cast<double>(arguments.number("--timeout", 30));
    group = std::make_unique<Communicator>(open_backend(arguments, seed), timeout);
  } catch (const Error& error) {
    return report(error, "forming the group");
  }
  return run_program(*group, arguments, seed, progress);
}

}  // namespace
}  // namespace lockstep::test

int main(int argc, char** argv) {
  try {
    const lockstep::test::Arguments arguments(argc, argv);
    if (arguments.transport != "tcp" && arguments.transport != "shared-memory" &&
        arguments.transport != "hierarchical") {
      throw std::invalid_argument("random_rank tcp|shared-memory|hierarchical [--option value]…");
    }
    return lockstep::test::run_rank(arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return lockstep::test::EXIT_WRONG_ARGUMENTS;
  }
}

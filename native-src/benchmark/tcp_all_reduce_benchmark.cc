// Times all-reduces of f32 between processes over TCP, for the network lab (hpc/netlab). Every rank runs it
// with RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT and LOCKSTEP_TOKEN set; rank 0 prints.
//
//   tcp_all_reduce_benchmark [--sizes 4096,1048576,…] [--algorithm ring|recursive-doubling] [--iterations N]
//                            [--warm-up N] [--segment BYTES] [--streams N] [--spin MICROSECONDS]
//                            [--two-level yes]   (ranks with one LOCKSTEP_HOST share memory)
//                            [--json FILE]       (- for the standard output; the table then goes elsewhere)
//
// An iteration: every rank rewrites its input, a barrier, the timed operation, a barrier (so that nobody
// takes a core from a rank that is not done), every rank checks every element. Its time is that of the
// slowest rank.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "collective/backend/transport_backend.h"
#include "collective/choice/algorithm.h"
#include "collective/hosts/hosts.h"
#include "transport/tcp/mesh/tcp_transport.h"

namespace lockstep {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double TIMEOUT_SECONDS = 300;

struct Arguments {
  std::vector<std::size_t> sizes{4 << 10, 64 << 10, 1 << 20, 16 << 20, 64 << 20};
  std::map<std::string, std::string> values;

  Arguments(int argc, char** argv) {
    for (int i = 1; i + 1 < argc; i += 2) values[argv[i]] = argv[i + 1];
    if (!values.contains("--sizes")) return;
    sizes.clear();
    std::istringstream list(values["--sizes"]);
    for (std::string size; std::getline(list, size, ',');) sizes.push_back(std::stoull(size));
  }

  std::string text(const std::string& name, const std::string& otherwise) const {
    auto found = values.find(name);
    return found == values.end() ? otherwise : found->second;
  }
  std::size_t number(const std::string& name, std::size_t otherwise) const {
    return std::stoull(text(name, std::to_string(otherwise)));
  }
};

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) throw std::invalid_argument(std::string(name) + " is not set.");
  return value;
}

TcpOptions tcp_options(const Arguments& arguments) {
  TcpOptions options;
  options.rank = std::stoi(environment("RANK"));
  options.world_size = std::stoi(environment("WORLD_SIZE"));
  options.master_address = environment("MASTER_ADDR");
  options.master_port = std::stoi(environment("MASTER_PORT"));
  options.token = environment("LOCKSTEP_TOKEN");
  options.streams =
      static_cast<int>(arguments.number("--streams", static_cast<std::size_t>(options.streams)));
  options.spin =
      std::chrono::microseconds(arguments.number("--spin", static_cast<std::size_t>(options.spin.count())));
  return options;
}

Tuning tuning(const Arguments& arguments) {
  Tuning tuning;
  tuning.segment_bytes = arguments.number("--segment", tuning.segment_bytes);
  return tuning;
}

void choose_algorithm(Backend& group, const Arguments& arguments) {
  const std::string name = arguments.text("--algorithm", "");
  if (name.empty()) return;
  const std::optional<Algorithm> algorithm = algorithm_from(name);
  if (!algorithm) throw std::invalid_argument("No algorithm is called " + name + ".");
  group.use_algorithm(Operation::ALL_REDUCE, algorithm);
}

/// What rank `rank` puts in: small integers, so that every order of summation is exact.
float input_at(std::uint32_t index, int rank, std::uint32_t iteration) {
  return static_cast<float>((index * 2654435761U + static_cast<std::uint32_t>(rank) * 40503U + iteration) >>
                            24);
}

class Benchmark {
 public:
  Benchmark(Backend& group, std::size_t bytes) : group_(group), data_(std::max<std::size_t>(bytes / 4, 1)) {}

  /// Seconds this rank took for one operation.
  double iterate(std::uint32_t iteration) {
    for (std::uint32_t i = 0; i < data_.size(); ++i) data_[i] = input_at(i, group_.rank(), iteration);
    barrier();
    const auto began = Clock::now();
    execute(Operation::ALL_REDUCE, DataType::F32, ReduceOp::SUM, data_.data(), data_.size());
    const double seconds = std::chrono::duration<double>(Clock::now() - began).count();
    barrier();
    check(iteration);
    return seconds;
  }

  /// The slowest rank's time of each iteration, from each rank's own.
  void take_slowest(std::vector<double>& seconds) {
    execute(Operation::ALL_REDUCE, DataType::F64, ReduceOp::MAX, seconds.data(), seconds.size());
  }

  /// On all ranks together.
  std::int64_t errors() {
    std::int64_t sum = errors_;
    execute(Operation::ALL_REDUCE, DataType::I64, ReduceOp::SUM, &sum, 1);
    return sum;
  }

 private:
  void barrier() { execute(Operation::BARRIER, DataType::U8, ReduceOp::SUM, nullptr, 0); }

  void execute(Operation operation, DataType type, ReduceOp op, void* data, std::size_t count) {
    Request request;
    request.operation = operation;
    request.type = type;
    request.op = op;
    request.input = static_cast<const std::byte*>(data);
    request.output = static_cast<std::byte*>(data);
    request.count = count;
    group_.execute(request, Deadline(std::chrono::duration<double>(TIMEOUT_SECONDS), never_));
  }

  void check(std::uint32_t iteration) {
    for (std::uint32_t i = 0; i < data_.size(); ++i) {
      float expected = 0;
      for (int rank = 0; rank < group_.size(); ++rank) expected += input_at(i, rank, iteration);
      if (data_[i] != expected) ++errors_;
    }
  }

  Backend& group_;
  std::vector<float> data_;
  std::int64_t errors_ = 0;
  const std::atomic<bool> never_{false};
};

std::size_t iterations_for(std::size_t bytes, const Arguments& arguments) {
  return arguments.number("--iterations", std::clamp<std::size_t>((std::size_t{128} << 20) / bytes, 7, 200));
}

std::FILE* table_of(const Arguments& arguments) {
  return arguments.text("--json", "") == "-" ? stderr : stdout;
}

void report(const Backend& group, const Arguments& arguments, std::size_t bytes, std::vector<double> seconds,
            std::int64_t errors, std::string& json) {
  std::ranges::sort(seconds);
  const double median = seconds[seconds.size() / 2];
  const double algbw = static_cast<double>(bytes) / median / 1e9;
  const double busbw = algbw * 2 * (group.size() - 1) / group.size();
  std::fprintf(table_of(arguments), "%12zu %12.1f %12.1f %12.1f %10.1f %8lld\n", bytes, seconds.front() * 1e6,
               median * 1e6, seconds.back() * 1e6, busbw * 8e3, static_cast<long long>(errors));
  std::fflush(table_of(arguments));
  std::ostringstream entry;
  entry << R"({"operation": "allreduce", "algorithm": ")" << arguments.text("--algorithm", "auto")
        << R"(", "backend": ")" << group.name() << R"(", "ranks": )" << group.size() << R"(, "bytes": )"
        << bytes << R"(, "type": "f32", "registered": false, "in_place": true, "microseconds": {"min": )"
        << seconds.front() * 1e6 << R"(, "median": )" << median * 1e6 << R"(, "max": )"
        << seconds.back() * 1e6 << R"(}, "algbw": )" << algbw << R"(, "busbw": )" << busbw
        << R"(, "errors": )" << errors << "}";
  json += (json.empty() ? "[\n" : ",\n") + entry.str();
}

int run(const Arguments& arguments) {
  auto group = make_backend(connect_tcp(tcp_options(arguments)), tuning(arguments));
  if (arguments.text("--two-level", "") == "yes") {
    const std::atomic<bool> never{false};
    HostOptions options;
    options.is_required = true;
    group = share_hosts(std::move(group), false, options,
                        Deadline(std::chrono::duration<double>(TIMEOUT_SECONDS), never));
    group->use_tuning(tuning(arguments), UNKNOWN_HOSTS);
  }
  choose_algorithm(*group, arguments);
  const bool prints = group->rank() == 0;
  if (prints) {
    std::fprintf(table_of(arguments), "%12s %12s %12s %12s %10s %8s\n", "bytes", "min us", "median us",
                 "max us", "busbw Mb/s", "errors");
  }
  std::string json;
  std::int64_t all_errors = 0;
  for (std::size_t bytes : arguments.sizes) {
    Benchmark benchmark(*group, bytes);
    std::vector<double> seconds;
    const std::size_t warm_up = arguments.number("--warm-up", 2);
    const std::size_t iterations = iterations_for(bytes, arguments);
    for (std::uint32_t i = 0; i < warm_up + iterations; ++i) {
      const double time = benchmark.iterate(i);
      if (i >= warm_up) seconds.push_back(time);
    }
    benchmark.take_slowest(seconds);
    const std::int64_t errors = benchmark.errors();
    all_errors += errors;
    if (prints) report(*group, arguments, bytes, seconds, errors, json);
  }
  const std::string file = arguments.text("--json", "");
  if (prints && !file.empty()) std::ofstream(file == "-" ? "/dev/stdout" : file) << json << "\n]\n";
  group->close();
  return all_errors == 0 ? 0 : 1;
}

}  // namespace
}  // namespace lockstep

int main(int argc, char** argv) {
  try {
    return lockstep::run(lockstep::Arguments(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

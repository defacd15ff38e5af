// What a communicator lets its users change.

#include <cstdint>

#include "collective/choice/tuning.h"
#include "collective/communicator/communicator.h"

namespace lockstep {
namespace {

constexpr std::uint64_t LONGEST_TUNING = 1 << 20;

RawRequest broadcast_from_rank_0(void* data, std::size_t bytes) {
  RawRequest raw{};
  raw.operation = static_cast<std::int32_t>(Operation::BROADCAST);
  raw.type = static_cast<std::int32_t>(DataType::U8);
  raw.input = reinterpret_cast<std::int64_t>(data);
  raw.output = raw.input;
  raw.count = static_cast<std::int64_t>(bytes);
  return raw;
}

}  // namespace

void Communicator::configure(const std::function<void(Backend&)>& change) {
  Lock lock(mutex_);
  turn_.bar();
  changed_.wait(lock, [this] { return closed_ || failure_ || (!turn_.is_taken() && queue_.empty()); });
  check_open();
  try {
    change(*backend_);
  } catch (...) {
    reopen_fast_path(lock);
    throw;
  }
  reopen_fast_path(lock);
}

void Communicator::use_algorithm(Operation operation, std::optional<Algorithm> algorithm) {
  configure([&](Backend& backend) {
    backend.use_algorithm(operation, algorithm);
    settings_.chosen.erase(operation);
    if (algorithm) settings_.chosen.emplace(operation, *algorithm);
  });
}

void Communicator::take_over(const Settings& settings) {
  configure([&](Backend& backend) {
    settings_ = settings;
    backend.use_tuning(settings.tuning, UNKNOWN_HOSTS);
    for (const auto& [operation, algorithm] : settings.chosen) {
      try {
        backend.use_algorithm(operation, algorithm);
      } catch (const Error&) {
        settings_.chosen.erase(operation);  // A smaller group may share more memory, or less.
      }
    }
  });
}

void Communicator::use_tuning(const std::string& text, const std::string& source) {
  // The source goes along, so that every rank can say what is wrong with whose text.
  std::string all = text.empty() ? "" : source + '\0' + text;
  std::uint64_t length = all.size();
  run(broadcast_from_rank_0(&length, sizeof(length)));
  if (length > LONGEST_TUNING) {
    throw Error(ErrorCode::INVALID_ARGUMENT, "The tuning of rank 0 has " + std::to_string(length) +
                                                 " bytes; it may have at most " +
                                                 std::to_string(LONGEST_TUNING) + ".");
  }
  all.resize(length);
  if (length > 0) run(broadcast_from_rank_0(all.data(), all.size()));
  const std::size_t end = all.find('\0');
  const Tuning tuning = all.empty() ? Tuning{} : parse_tuning(all.substr(end + 1), all.substr(0, end));
  configure([&](Backend& backend) {
    backend.use_tuning(tuning, UNKNOWN_HOSTS);
    settings_.tuning = tuning;
  });
}

}  // namespace lockstep

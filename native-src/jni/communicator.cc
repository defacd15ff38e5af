#include "lockstep/communicator.h"

#include <optional>
#include <string>
#include <utility>

#include "collective/choice/algorithm.h"
#include "core/data_type.h"
#include "core/log.h"
#include "jni/boundary.h"
#include "jni/communicators.h"

namespace lockstep {

Registry<Work>& works() {
  static Registry<Work>& instance = *new Registry<Work>("work");
  return instance;
}

Registry<Communicator>& communicators() {
  static Registry<Communicator>& instance = *new Registry<Communicator>("communicator");
  return instance;
}

std::int64_t split(std::int64_t communicator, std::int32_t color, std::int32_t key) {
  return at_boundary([&] {
    std::shared_ptr<Communicator> child = communicators().find(communicator)->split(color, key);
    return child == nullptr ? 0 : communicators().insert(std::move(child));
  });
}

std::int64_t shrink(std::int64_t communicator, std::int64_t survivors, std::int32_t count) {
  return at_boundary([&] {
    if (count < 1 || survivors <= 0)
      throw Error(ErrorCode::INVALID_ARGUMENT, "The list of survivors has a bad address or length.");
    const std::span ranks(reinterpret_cast<const int*>(survivors), static_cast<std::size_t>(count));
    return communicators().insert(communicators().find(communicator)->shrink(ranks));
  });
}

std::int32_t communicator_generation(std::int64_t communicator) {
  return at_boundary(
      [&] { return static_cast<std::int32_t>(communicators().find(communicator)->generation()); });
}

void close_communicator(std::int64_t communicator) {
  at_boundary([&] {
    if (communicator == 0) return;
    const auto end = [](Communicator& open) { open.close(); };
    if (communicators().remove(communicator, end) == nullptr &&
        !communicators().was_given_out(communicator)) {
      communicators().refuse(communicator);
    }
  });
}

std::int32_t communicator_rank(std::int64_t communicator) {
  return at_boundary([&] { return communicators().find(communicator)->rank(); });
}

std::int32_t communicator_size(std::int64_t communicator) {
  return at_boundary([&] { return communicators().find(communicator)->size(); });
}

const char* communicator_backend(std::int64_t communicator) {
  return at_boundary([&] {
    thread_local std::string name;
    name = communicators().find(communicator)->backend_name();
    return name.c_str();
  });
}

void set_timeout(std::int64_t communicator, double seconds) {
  at_boundary([&] { communicators().find(communicator)->set_timeout(seconds); });
}

std::int32_t run(std::int64_t communicator, std::int32_t operation, std::int32_t type, std::int32_t op,
                 std::int32_t root_or_peer, std::int32_t tag, std::int64_t input, std::int64_t output,
                 std::int64_t count, std::int64_t counts) {
  return at_boundary([&] {
    return communicators()
        .find(communicator)
        ->run({operation, type, op, root_or_peer, tag, input, output, count, counts});
  });
}

std::int64_t start(std::int64_t communicator, std::int32_t operation, std::int32_t type, std::int32_t op,
                   std::int32_t root_or_peer, std::int32_t tag, std::int64_t input, std::int64_t output,
                   std::int64_t count, std::int64_t counts) {
  return at_boundary([&] {
    return works().insert(
        communicators()
            .find(communicator)
            ->start({operation, type, op, root_or_peer, tag, input, output, count, counts}));
  });
}

std::int32_t wait_work(std::int64_t work) {
  return at_boundary([&] {
    std::shared_ptr<Work> started = works().remove(work, [](Work&) {});
    if (started == nullptr) works().refuse(work);
    return started->wait();
  });
}

bool work_is_done(std::int64_t work) {
  return at_boundary([&] { return works().find(work)->is_done(); });
}

void set_algorithm(std::int64_t communicator, std::int32_t operation, std::int32_t algorithm) {
  at_boundary([&] {
    const Algorithm chosen = algorithm_from(algorithm);
    communicators()
        .find(communicator)
        ->use_algorithm(operation_from(operation),
                        chosen == Algorithm::NONE ? std::nullopt : std::optional(chosen));
  });
}

std::int32_t last_algorithm(std::int64_t communicator) {
  return at_boundary(
      [&] { return static_cast<std::int32_t>(communicators().find(communicator)->last_algorithm()); });
}

void set_tuning(std::int64_t communicator, const char* text, const char* source) {
  at_boundary([&] {
    communicators()
        .find(communicator)
        ->use_tuning(text == nullptr ? "" : text, source == nullptr ? "" : source);
  });
}

double communication_seconds(std::int64_t communicator) {
  return at_boundary([&] { return communicators().find(communicator)->seconds(); });
}

std::int64_t communication_bytes(std::int64_t communicator) {
  return at_boundary([&] { return communicators().find(communicator)->bytes(); });
}

const char* take_log_line() {
  return at_boundary([&] {
    thread_local std::string line;
    line = take_notice();
    return line.c_str();
  });
}

}  // namespace lockstep

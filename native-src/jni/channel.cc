#include "lockstep/channel.h"

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "channel/channels.h"
#include "core/seconds.h"
#include "jni/boundary.h"
#include "jni/communicators.h"

namespace lockstep {
namespace {

/// A message and what it must not outlive.
struct Posted {
  std::shared_ptr<Communicator> communicator;
  std::shared_ptr<Message> message;
};

// Never destroyed, like communicators().
Registry<Posted>& messages() {
  static Registry<Posted>& instance = *new Registry<Posted>("message");
  return instance;
}

/// One row of exchange_messages().
struct Row {
  std::int64_t operation;
  std::int64_t type;
  std::int64_t peer;
  std::int64_t tag;
  std::int64_t address;
  std::int64_t count;
};

Transfer transfer_of(const Communicator& communicator, const Row& row) {
  const bool is_send = row.operation == static_cast<std::int64_t>(Operation::SEND);
  return communicator.transfer_of({.operation = static_cast<std::int32_t>(row.operation),
                                   .type = static_cast<std::int32_t>(row.type),
                                   .op = 0,
                                   .root_or_peer = static_cast<std::int32_t>(row.peer),
                                   .tag = static_cast<std::int32_t>(row.tag),
                                   .input = is_send ? row.address : 0,
                                   .output = is_send ? 0 : row.address,
                                   .count = row.count,
                                   .counts = 0});
}

Channels::Seconds limit_of(double seconds) {
  if (seconds >= 0) return Channels::Seconds(seconds);
  throw Error(ErrorCode::INVALID_ARGUMENT,
              "A wait of " + seconds_text(seconds) + " is impossible; limits start at 0.");
}

}  // namespace

std::int64_t post_message(std::int64_t communicator, std::int32_t operation, std::int32_t type,
                          std::int32_t peer, std::int32_t tag, std::int64_t address, std::int64_t count,
                          bool exact) {
  return at_boundary([&] {
    auto group = communicators().find(communicator);
    Transfer transfer = transfer_of(*group, {operation, type, peer, tag, address, count});
    transfer.exact = exact;
    return messages().insert(
        std::make_shared<Posted>(Posted{group.share(), group->channels().post(transfer)}));
  });
}

bool await_message(std::int64_t message, double seconds) {
  return at_boundary([&] {
    auto posted = messages().find(message);
    return posted->communicator->channels().wait(*posted->message, limit_of(seconds));
  });
}

bool message_is_done(std::int64_t message) {
  return at_boundary([&] {
    auto posted = messages().find(message);
    return posted->communicator->channels().is_done(*posted->message);
  });
}

bool cancel_message(std::int64_t message) {
  return at_boundary([&] {
    auto posted = messages().find(message);
    return posted->communicator->channels().cancel(*posted->message);
  });
}

std::int32_t message_source(std::int64_t message) {
  return at_boundary([&] { return messages().find(message)->message->post.peer; });
}

std::int64_t message_count(std::int64_t message) {
  return at_boundary(
      [&] { return static_cast<std::int64_t>(messages().find(message)->message->received_count); });
}

void release_message(std::int64_t message) {
  at_boundary([&] {
    if (messages().remove(message, [](Posted&) {}) == nullptr) messages().refuse(message);
  });
}

bool exchange_messages(std::int64_t communicator, std::int64_t rows, std::int32_t count, double seconds) {
  return at_boundary([&] {
    auto group = communicators().find(communicator);
    if (count < 0 || (count > 0 && rows <= 0))
      throw Error(ErrorCode::INVALID_ARGUMENT, "The list of an exchange has a bad address or length.");
    if (count == 0) return true;
    Row* const list = reinterpret_cast<Row*>(rows);
    const auto length = static_cast<std::size_t>(count);
    constexpr std::size_t FEW = 8;
    std::array<Transfer, FEW> few;
    std::array<Incoming, FEW> few_received;
    std::vector<Transfer> many(length > FEW ? length : 0);
    std::vector<Incoming> many_received(many.size());
    const std::span<Transfer> transfers = many.empty() ? std::span(few).first(length) : std::span(many);
    const std::span<Incoming> received =
        many.empty() ? std::span(few_received).first(length) : std::span(many_received);
    for (std::size_t i = 0; i < length; ++i) transfers[i] = transfer_of(*group, list[i]);
    const bool in_time = group->channels().exchange(transfers, limit_of(seconds), received);
    for (std::size_t i = 0; i < length; ++i) list[i].peer = received[i].source;
    return in_time;
  });
}

bool probe_message(std::int64_t communicator, std::int32_t peer, std::int32_t tag, double seconds,
                   std::int64_t result) {
  return at_boundary([&] {
    auto group = communicators().find(communicator);
    transfer_of(*group, {static_cast<std::int64_t>(Operation::RECEIVE), 0, peer, tag, 0, 0});  // checks
    if (result <= 0)
      throw Error(ErrorCode::INVALID_ARGUMENT, "The room for a message's description has a bad address.");
    Channels& channels = group->channels();
    const std::optional<Incoming> found =
        seconds == 0 ? channels.poll(peer, tag) : channels.probe(peer, tag, limit_of(seconds));
    if (!found) return false;
    auto* const row = reinterpret_cast<std::int64_t*>(result);
    row[0] = found->source;
    row[1] = static_cast<std::int64_t>(found->type);
    row[2] = static_cast<std::int64_t>(found->count);
    return true;
  });
}

double communicator_timeout(std::int64_t communicator) {
  return at_boundary([&] { return communicators().find(communicator)->timeout_seconds(); });
}

void announce_message(std::int64_t communicator, std::int64_t message) {
  at_boundary([&] {
    auto posted = messages().find(message);
    communicators().find(communicator)->channels().announce(*posted->message, message);
  });
}

void announce_work(std::int64_t communicator, std::int64_t work) {
  at_boundary([&] { works().find(work)->announce(communicators().find(communicator)->completions(), work); });
}

std::int64_t take_completion(std::int64_t communicator, double seconds) {
  return at_boundary(
      [&] { return communicators().find(communicator)->completions().take(limit_of(seconds)); });
}

bool await_work(std::int64_t work, double seconds) {
  return at_boundary([&] { return works().find(work)->wait_for(limit_of(seconds)); });
}

}  // namespace lockstep

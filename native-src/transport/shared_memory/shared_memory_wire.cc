#include "transport/shared_memory/shared_memory_wire.h"

#include <algorithm>
#include <string>

#include "transport/shared_memory/formation.h"
#include "transport/shared_memory/futex.h"
#include "transport/shared_memory/shared_memory_transport.h"

namespace lockstep::shared_memory {
namespace {

// How often a rank that sleeps asks the system whether its peers live.
constexpr std::chrono::milliseconds LOOK_INTERVAL{20};

Error died_error(int peer) {
  return Error(
      ErrorCode::PEER_FAILED,
      "Rank " + std::to_string(peer) +
          " died: it has gone from this host's shared memory without a goodbye; look at that rank's own "
          "output. Messages with other ranks go on.",
      peer);
}

}  // namespace

SharedMemoryWire::SharedMemoryWire(const Rings& rings, const SharedMemoryOptions& options,
                                   bool oversubscribed)
    : rings_(rings),
      options_(options),
      oversubscribed_(oversubscribed),
      gone_(static_cast<std::size_t>(rings.size())) {
  for (int peer = 0; peer < size(); ++peer) outboxes_.emplace_back(rings_, peer);
  gone_[static_cast<std::size_t>(rank())] = true;
}

void SharedMemoryWire::send(tcp::Post& post) {
  const auto peer = static_cast<std::size_t>(post.peer);
  if (gone_[peer]) return;
  outboxes_[peer].send(post);
}

bool SharedMemoryWire::take_back(const tcp::Post& post) {
  return outboxes_[static_cast<std::size_t>(post.peer)].take_back(post);
}

bool SharedMemoryWire::take_in(int peer, WireReceiver& receiver) {
  try {
    return take_frames(rings_, peer, receiver);
  } catch (const Error& error) {
    lose(peer, error, receiver);
  } catch (const std::exception& error) {
    lose(peer,
         Error(ErrorCode::SYSTEM,
               "Rank " + std::to_string(rank()) + " cannot take in a message of rank " +
                   std::to_string(peer) + ": " + error.what() + ".",
               peer),
         receiver);
  }
  return true;
}

void SharedMemoryWire::lose(int peer, const std::optional<Error>& broken, WireReceiver& receiver) {
  gone_[static_cast<std::size_t>(peer)] = true;
  receiver.peer_gone(peer, broken);
}

bool SharedMemoryWire::progress(WireReceiver& receiver) {
  bool moved = false;
  for (int peer = 0; peer < size(); ++peer) {
    if (gone_[static_cast<std::size_t>(peer)]) continue;
    Outbox& outbox = outboxes_[static_cast<std::size_t>(peer)];
    if (!outbox.is_empty()) moved = outbox.flush() || moved;
    moved = take_in(peer, receiver) || moved;
  }
  if (has_slept_.load(std::memory_order_relaxed)) look_for_the_gone(receiver);
  return moved;
}

// What a rank wrote before it went is taken in first.
void SharedMemoryWire::look_for_the_gone(WireReceiver& receiver) {
  has_slept_.store(false, std::memory_order_relaxed);
  const auto now = std::chrono::steady_clock::now();
  const bool asks_system = now - looked_ >= LOOK_INTERVAL;
  if (asks_system) looked_ = now;
  for (int peer = 0; peer < size(); ++peer) {
    if (gone_[static_cast<std::size_t>(peer)]) continue;
    const bool has_died = asks_system && !rings_.registered().segment().is_present(peer);
    const bool has_left = rings_.member(peer).has_left_messages.load() != 0;
    if (!has_died && !has_left) continue;
    take_in(peer, receiver);
    if (gone_[static_cast<std::size_t>(peer)]) continue;
    lose(peer, has_left ? std::nullopt : std::optional(died_error(peer)), receiver);
  }
}

void SharedMemoryWire::prepare_sleep() {
  SleepDoorbell& doorbell = rings_.doorbell(rank());
  doorbell.sleeps.store(1);
  rings_seen_ = doorbell.rings.load();
}

void SharedMemoryWire::cancel_sleep() { rings_.doorbell(rank()).sleeps.store(0); }

void SharedMemoryWire::sleep(std::chrono::milliseconds limit) {
  SleepDoorbell& doorbell = rings_.doorbell(rank());
  futex_wait(doorbell.rings, rings_seen_, limit);
  doorbell.sleeps.store(0);
  has_slept_.store(true, std::memory_order_relaxed);
}

void SharedMemoryWire::wake() noexcept {
  SleepDoorbell& doorbell = rings_.doorbell(rank());
  doorbell.rings.fetch_add(1);
  futex_wake(doorbell.rings);
}

std::unique_ptr<Transport> SharedMemoryWire::reform(const Reformation& reformation) {
  const std::span<const int> members = reformation.members;
  const auto own = std::ranges::find(members, rank()) - members.begin();
  const Place place{static_cast<int>(own), static_cast<int>(members.size()), 0, "shrink"};
  const Exchange exchange = [&](const Report& report) {
    std::vector<Report> reports(members.size());
    reformation.gather(&report, reports.data(), sizeof(Report));
    return reports;
  };
  std::string reason;
  auto memory = form(place, options_, exchange, reason);
  if (memory == nullptr) throw Error(ErrorCode::SYSTEM, reason);
  return std::make_unique<SharedMemoryTransport>(std::move(memory), options_);
}

void SharedMemoryWire::close() noexcept {
  if (closed_) return;
  closed_ = true;
  rings_.member(rank()).has_left_messages.store(1);
  for (int peer = 0; peer < size(); ++peer) {
    if (peer != rank()) rings_.ring(peer);
  }
}

}  // namespace lockstep::shared_memory

// The group of those who are left after others have failed.

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "channel/gather_among.h"
#include "collective/backend/single_backend.h"
#include "collective/backend/transport_backend.h"
#include "collective/communicator/communicator.h"
#include "collective/communicator/message_wire.h"
#include "collective/hosts/hosts.h"
#include "core/crypto/sha256.h"

namespace lockstep {
namespace {

std::string list_of(std::span<const int> ranks) {
  std::string text;
  for (const int rank : ranks) text += (text.empty() ? "" : ", ") + std::to_string(rank);
  return text;
}

void check_survivors(std::span<const int> survivors, int rank, int size) {
  const bool is_in_order = std::ranges::adjacent_find(survivors, std::greater_equal<>()) == survivors.end();
  const bool is_in_range = !survivors.empty() && survivors.front() >= 0 && survivors.back() < size;
  if (is_in_order && is_in_range && std::ranges::binary_search(survivors, rank)) return;
  throw Error(ErrorCode::INVALID_ARGUMENT,
              "Rank " + std::to_string(rank) + " cannot shrink a group of " + std::to_string(size) +
                  " to the ranks " + list_of(survivors) +
                  "; they must be in ascending order, of this group, and include itself.");
}

/// Survivors with other lists, or of another generation, use other tags and do not meet.
int tag_of(std::span<const int> survivors, std::uint32_t generation) {
  std::vector<int> words(survivors.begin(), survivors.end());
  words.push_back(static_cast<int>(generation));
  const tcp::Digest digest = tcp::sha256(std::as_bytes(std::span(words)));
  std::uint32_t number = 0;
  std::memcpy(&number, digest.data(), sizeof number);
  return FIRST_INTERNAL_TAG + static_cast<int>(number % (1U << 30));
}

}  // namespace

std::shared_ptr<Communicator> Communicator::shrink(std::span<const int> survivors) {
  check_survivors(survivors, rank_, size_);
  const std::uint32_t generation = generation_ + 1;
  const double seconds = timeout_seconds();
  const Deadline deadline(Deadline::Seconds(seconds), cancelled_);
  std::unique_ptr<Backend> backend;
  if (survivors.size() == 1) {
    backend = std::make_unique<SingleBackend>();
  } else {
    const int tag = tag_of(survivors, generation);
    const auto gather = [&](const void* own, void* all, std::size_t bytes) {
      gather_among(channels(), survivors, tag, own, all, bytes, Channels::Seconds(seconds));
    };
    // Everybody has come, and lives, before connections are made.
    const std::uint32_t own = generation;
    std::vector<std::uint32_t> all(survivors.size());
    gather(&own, all.data(), sizeof own);
    backend = make_backend(channels().reform({survivors, generation, gather, deadline}));
    if (backend_->name().find("+shared-memory") != std::string::npos) {
      HostOptions options;
      options.label = "shrink";
      backend = share_hosts(std::move(backend), false, options, deadline);
    }
  }
  std::unique_ptr<Wire> wire = message_wire(*backend, seconds);
  auto child = std::make_shared<Communicator>(std::move(backend), seconds, std::move(wire));
  Settings settings;
  {
    Lock lock(mutex_);
    settings = settings_;
  }
  child->take_over(settings);
  child->set_stall_seconds(stall_seconds_.load(std::memory_order_relaxed));
  child->generation_ = generation;
  return child;
}

}  // namespace lockstep

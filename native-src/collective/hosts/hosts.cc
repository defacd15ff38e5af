#include "collective/hosts/hosts.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>

#include "collective/backend/gather_values.h"
#include "collective/backend/transport_backend.h"
#include "collective/hosts/host_backend.h"
#include "core/crypto/sha256.h"
#include "core/log.h"
#include "transport/shared_memory/formation.h"
#include "transport/shared_memory/shared_memory_transport.h"

namespace lockstep {
namespace {

using shared_memory::Report;

/// What ranks of one host have in common and others have not.
std::string host_text(const HostOptions& options) {
  if (!options.host.empty()) return options.host;
  if (const char* name = std::getenv("LOCKSTEP_HOST"); name != nullptr && *name != 0) return name;
  std::string boot;
  std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), boot);
  struct stat folder {};
  ::stat("/dev/shm", &folder);
  return boot + "/" + std::to_string(folder.st_dev) + "/" + std::to_string(folder.st_ino) + "/" +
         std::to_string(::geteuid());
}

HostMap find_hosts(Backend& flat, const HostOptions& options, const Deadline& deadline) {
  const std::string text = host_text(options);
  const tcp::Digest own = tcp::sha256(std::as_bytes(std::span(text)));
  HostMap map;
  std::map<tcp::Digest, int> numbers;
  for (const tcp::Digest& host : gather_values(flat, own, deadline)) {
    const int next = static_cast<int>(numbers.size());
    map.host_of.push_back(numbers.emplace(host, next).first->second);
  }
  return map;
}

}  // namespace

std::unique_ptr<Backend> share_hosts(std::unique_ptr<Backend> flat, bool keeps_flat,
                                     const HostOptions& options, const Deadline& deadline) {
  if (flat->size() == 1) return flat;
  HostMap map = find_hosts(*flat, options, deadline);
  if (map.hosts() == flat->size()) return flat;
  const std::vector<int> host_peers = map.ranks_on(map.host_of[static_cast<std::size_t>(flat->rank())]);
  const int place = map.place_of(flat->rank());
  const shared_memory::Place where{place, static_cast<int>(host_peers.size()),
                                   static_cast<std::size_t>(host_peers.front()), options.label};
  auto exchange = [&](const Report& own) { return gather_values(*flat, own, deadline); };
  std::string reason;
  auto memory = shared_memory::form(where, options.memory, exchange, reason);
  if (memory == nullptr) {
    if (options.is_required) throw Error(ErrorCode::SYSTEM, reason);
    log_notice(LogLevel::WARN, "The ranks of a host share no memory and go on over " + flat->name() +
                                   ", which is slower. " + reason);
    return flat;
  }
  std::unique_ptr<Backend> host =
      make_backend(std::make_unique<SharedMemoryTransport>(std::move(memory), options.memory), {}, 1);
  std::unique_ptr<Backend> across;
  if (map.hosts() > 1) {
    across = flat->split(place == 0 || map.is_even() ? place : -1, 0, deadline);
  } else if (!keeps_flat) {
    flat->close();
    return host;
  }
  return std::make_unique<HostBackend>(std::move(flat), std::move(host), std::move(across), std::move(map),
                                       options);
}

}  // namespace lockstep

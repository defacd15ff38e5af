#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collective/backend.h"
#include "collective/collective.h"
#include "collective/hosts.h"
#include "collective/select.h"
#include "collective/widened_average.h"

namespace lockstep {

/// Where the ranks of a group are.
struct HostMap {
  std::vector<int> host_of;  ///< by rank; hosts are numbered by their lowest ranks

  int hosts() const;
  /// The ranks of one host, in order; the first is its leader.
  std::vector<int> ranks_on(int host) const;
  /// A rank's number among those of its host.
  int place_of(int rank) const;
  /// The ranks that speak for their hosts, by host.
  std::vector<int> leaders() const;
};

/// Collectives in two levels: the ranks of a host combine what they have in shared memory, the hosts' leaders
/// exchange it between hosts by whatever backend they have, and hand it out. So the links carry each vector
/// once per host instead of once per rank. What gains nothing by that (messages, scatter, gather …) goes by
/// the flat backend.
///
/// All ranks of a host are in one operation at a time, as all ranks of the group are; a failure of one level
/// ends all.
class HostBackend final : public Backend {
 public:
  /// @param host over this host's ranks, by place
  /// @param leaders over the hosts' leaders, by host; null on other ranks, and where there is one host only
  HostBackend(std::unique_ptr<Backend> flat, std::unique_ptr<Backend> host, std::unique_ptr<Backend> leaders,
              HostMap map, const HostOptions& options);

  int rank() const override { return flat_->rank(); }
  int size() const override { return flat_->size(); }
  std::string name() const override {
    return map_.hosts() == 1 ? host_->name() : flat_->name() + "+shared-memory";
  }
  Algorithm last_algorithm() const override { return last_algorithm_; }
  void use_algorithm(Operation operation, std::optional<Algorithm> algorithm) override;
  void use_tuning(const Tuning& tuning, int hosts) override;
  SharedMemory* shared_memory() override { return host_->shared_memory(); }
  /// Of several hosts, what all levels exchange.
  Traffic* traffic() override { return map_.hosts() == 1 ? host_->traffic() : flat_->traffic(); }
  /// The ranks of one host pass messages in its memory; of several hosts, all go by the network.
  std::unique_ptr<Wire> take_wire() override;
  int execute(const Request& request, const Deadline& deadline) override;
  std::unique_ptr<Backend> split(int color, int key, const Deadline& deadline) override;
  void abort(const Error& reason) noexcept override;
  void close() noexcept override;

 private:
  bool is_leader() const { return place_ == 0; }
  bool goes_by_hosts(const Request& request) const;
  void introduce(const Request& request, const Deadline& deadline);
  void by_hosts(const Request& request, const Deadline& deadline);
  void all_reduce(const Request& request, const Deadline& deadline);
  void reduce(const Request& request, const Deadline& deadline);
  void broadcast(const Request& request, const Deadline& deadline);
  void barrier(const Deadline& deadline);
  void on_host(const Request& request, const Deadline& deadline);
  void between_hosts(const Request& request, const Deadline& deadline);
  void count_in_whole(Backend* level, const std::vector<int>& ranks);
  template <typename Part>
  void among(const std::vector<int>& ranks, const Part& part) const;

  WidenedAverage widened_;
  Scratch scratch_;  ///< these outlive the backends, which may touch it until they are closed
  const std::unique_ptr<Backend> flat_;
  const std::unique_ptr<Backend> host_;
  const std::unique_ptr<Backend> leaders_;
  const HostMap map_;
  const int place_;                      ///< of this rank on its host
  const std::vector<int> mates_;         ///< the ranks of this host, by place
  const std::vector<int> leader_ranks_;  ///< by host
  const HostOptions options_;
  Tuning tuning_;
  ChosenAlgorithms chosen_;
  Algorithm last_algorithm_ = Algorithm::NONE;
  std::uint64_t sequence_ = 0;
};

}  // namespace lockstep

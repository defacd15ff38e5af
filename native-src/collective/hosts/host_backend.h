#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collective/backend/backend.h"
#include "collective/backend/collective_context.h"
#include "collective/backend/widened_average.h"
#include "collective/choice/select.h"
#include "collective/hosts/hosts.h"

namespace lockstep {

/// Where the ranks of a group are.
struct HostMap {
  std::vector<int> host_of;  ///< by rank; hosts are numbered by their lowest ranks

  int hosts() const;
  /// The ranks of one host, in order; the first is its leader.
  std::vector<int> ranks_on(int host) const;
  /// A rank's number with_ranks_renumbered those of its host.
  int place_of(int rank) const;
  /// The ranks with one number among those of their hosts, by host; those at place 0 are the leaders.
  std::vector<int> ranks_at(int place) const;
  /// Whether all hosts have as many ranks.
  bool is_even() const;
};

/// Collectives in two levels: the ranks of a host combine what they have in shared memory, exchange it
/// between hosts by whatever backend they have, and hand it out in shared memory. So the links carry each
/// vector once per host instead of once per rank. A long all-reduce is a reduce-scatter on the host, an
/// all-reduce of each rank's slice between the hosts, all slices at once, and an all-gather on the host, in
/// pieces, so that one is on the wire while the next is combined;
/// where hosts have different numbers of ranks, for short vectors and for what has a root, the hosts' leaders
/// alone exchange. What gains nothing by two levels (messages, scatter, gather …) goes by the flat backend.
///
/// All ranks of a host are in one operation at a time, as all ranks of the group are; a failure of one level
/// ends all.
class HostBackend final : public Backend {
 public:
  /// @param host over this host's ranks, by place
  /// @param across over the ranks at this rank's place, by host. Null where there is one host only and, where
  /// hosts have different numbers of ranks, on all but the leaders
  HostBackend(std::unique_ptr<Backend> flat, std::unique_ptr<Backend> host, std::unique_ptr<Backend> across,
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
  void check_agreement_on_host(const Request& request, const Deadline& deadline);
  void by_hosts(const Request& request, const Deadline& deadline);
  void all_reduce(const Request& request, const Deadline& deadline);
  void all_reduce_by_slices(const Request& request, const Deadline& deadline);
  Request slice_of(const Request& request, const Blocks& pieces, int piece);
  void reduce(const Request& request, const Deadline& deadline);
  void broadcast(const Request& request, const Deadline& deadline);
  void barrier(const Deadline& deadline);
  void on_host(const Request& request, const Deadline& deadline);
  void between_hosts(const Request& request, const Deadline& deadline);
  void count_in_whole(Backend* level, const std::vector<int>& ranks);
  template <typename Part>
  void with_ranks_renumbered(const std::vector<int>& ranks, const Part& part) const;

  WidenedAverage widened_;
  Scratch scratch_;  ///< these outlive the backends, which may touch it until they are closed
  const std::unique_ptr<Backend> flat_;
  const std::unique_ptr<Backend> host_;
  const std::unique_ptr<Backend> across_;
  const HostMap map_;
  const int place_;                      ///< of this rank on its host
  const std::vector<int> host_peers_;    ///< the ranks of this host, by place
  const std::vector<int> across_ranks_;  ///< by host; empty without across_
  const HostOptions options_;
  Tuning tuning_;
  ChosenAlgorithms chosen_;
  Algorithm last_algorithm_ = Algorithm::NONE;
  std::vector<std::int64_t> slice_counts_;  ///< by place, of the current piece
  std::uint64_t sequence_ = 0;
};

}  // namespace lockstep

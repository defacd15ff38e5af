#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "collective/backend/backend.h"
#include "collective/backend/collective_context.h"
#include "collective/backend/widened_average.h"
#include "collective/choice/select.h"
#include "collective/hosts/split_key.h"
#include "transport/transport.h"

namespace lockstep {

/// The operations of a group as algorithms over a transport.
class TransportBackend : public Backend {
 public:
  /// @param hosts on which the ranks run, or UNKNOWN_HOSTS
  explicit TransportBackend(std::unique_ptr<Transport> transport, const Tuning& tuning = {},
                            int hosts = UNKNOWN_HOSTS);

  int rank() const override { return transport_->rank(); }
  int size() const override { return transport_->size(); }
  std::string name() const override { return transport_->name(); }
  SharedMemory* shared_memory() override { return transport_->shared_memory(); }
  Traffic* traffic() override { return transport_->traffic(); }
  std::unique_ptr<Wire> take_wire() override;
  int execute(const Request& request, const Deadline& deadline) override;
  bool overlaps_pieces(const Request& whole) const override;
  void all_reduce_pieces(const Request& whole, const Pieces& pieces, const Deadline& deadline) override;
  Algorithm last_algorithm() const override { return last_algorithm_; }
  void use_algorithm(Operation operation, std::optional<Algorithm> algorithm) override;
  void use_tuning(const Tuning& tuning, int hosts) override;
  std::unique_ptr<Backend> split(int color, int key, const Deadline& deadline) override;
  void abort(const Error& reason) noexcept override { transport_->abort(reason); }
  void close() noexcept override { transport_->close(); }

 private:
  CollectiveContext collective(const Signature& signature, const Deadline& deadline);
  int send(const Request& request, const Deadline& deadline);
  int receive(const Request& request, const Deadline& deadline);
  void run(const Request& request, const CollectiveContext& collective);
  void run_widened(const Request& request, CollectiveContext collective);
  void all_reduce(const Request& request, const CollectiveContext& collective);

  std::span<const Algorithm> available_for(Operation operation) const;
  Algorithm choose(const Request& request) const;

  Tuning tuning_;
  int hosts_;
  ChosenAlgorithms chosen_;
  Algorithm last_algorithm_ = Algorithm::NONE;
  WidenedAverage widened_;  ///< these four outlive the transport,
  Scratch scratch_;
  std::array<Scratch, 2> piece_scratch_;  ///< of pieces, in turns
  std::vector<SplitKey> choices_;         ///< which may touch them until it is closed
  std::unique_ptr<Transport> transport_;
  std::uint64_t sequence_ = 0;  ///< collectives begun in this group
};

/// A backend over `transport`; where the group has one rank only, the transport is closed and none is needed.
std::unique_ptr<Backend> make_backend(std::unique_ptr<Transport> transport, const Tuning& tuning = {},
                                      int hosts = UNKNOWN_HOSTS);

}  // namespace lockstep

#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "transport/in_process/group.h"
#include "transport/transport.h"

namespace lockstep {

/// A rank that is a thread of this process. Messages are copied once, from buffer to buffer.
class InProcessTransport : public Transport {
 public:
  InProcessTransport(std::shared_ptr<in_process::Group> group, int rank);

  /// Without a close() before, the rank counts as dead.
  ~InProcessTransport() override;

  int rank() const override { return rank_; }
  int size() const override { return group_->size(); }
  std::string name() const override { return "in-process"; }
  Traffic* traffic() override { return &traffic_; }
  std::unique_ptr<Wire> take_wire() override;

  Ticket post_send(int peer, const Signature& signature, const void* data, std::size_t bytes) override;
  Ticket post_receive(int peer, const Signature& signature, void* data, std::size_t bytes) override;
  int wait(Ticket ticket, const Deadline& deadline) override;
  void abort(const Error& reason) noexcept override;
  void close() noexcept override;
  std::unique_ptr<Transport> split(std::span<const int> members, const Deadline& deadline) override;

 private:
  Ticket post(bool is_send, int peer, const Signature& signature, std::byte* data, std::size_t bytes);

  std::shared_ptr<in_process::Group> group_;
  int rank_;
  Traffic traffic_;
  Ticket next_ticket_ = 1;
  std::unordered_map<Ticket, std::shared_ptr<in_process::Post>> pending_;
};

/// Joins rank `rank` of the `size` threads that name the same `group`; blocks until all have joined.
/// A name may be used again once its ranks have left.
/// @throws Error RENDEZVOUS (rank joined twice, or sizes differ), TIMEOUT naming the absent ranks
std::unique_ptr<Transport> join_in_process(const std::string& name, int rank, int size,
                                           const Deadline& deadline);

}  // namespace lockstep

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "transport/messages/mailbox.h"
#include "transport/shared_memory/formation.h"
#include "transport/shared_memory/outbox.h"
#include "transport/shared_memory/shared_memory.h"
#include "transport/shared_memory/shared_memory_wire.h"
#include "transport/transport.h"

namespace lockstep {

/// Messages between ranks of one host, through a channel of shared memory for each direction of each pair.
/// Whoever waits moves all of its own messages.
class SharedMemoryTransport final : public Transport {
 public:
  /// Without a close(), the rank counts as dead.
  SharedMemoryTransport(std::unique_ptr<SharedMemory> memory, const SharedMemoryOptions& options);

  int rank() const override { return memory_->rank(); }
  int size() const override { return memory_->size(); }
  std::string name() const override { return "shared-memory"; }
  Traffic* traffic() override { return &memory_->traffic(); }
  std::unique_ptr<Wire> take_wire() override;
  SharedMemory* shared_memory() override { return memory_.get(); }

  Ticket post_send(int peer, const Signature& signature, const void* data, std::size_t bytes) override;
  Ticket post_receive(int peer, const Signature& signature, void* data, std::size_t bytes) override;
  int wait(Ticket ticket, const Deadline& deadline) override;
  void abort(const Error& reason) noexcept override;
  void close() noexcept override;
  std::unique_ptr<Transport> split(std::span<const int> members, const Deadline& deadline) override;

 private:
  using Post = tcp::Post;

  Post& new_post(int peer, const Signature& signature, const void* data, std::size_t bytes);
  void enter(const Signature& signature);
  void check_peer(int peer) const;
  void await(Post& post, const Deadline& deadline);
  bool progress();
  bool take_in(int peer);
  bool all_others_left() const;
  shared_memory::Exchange exchange_among(std::span<const int> members, const Deadline& deadline);

  const SharedMemoryOptions options_;
  std::unique_ptr<SharedMemory> memory_;
  const shared_memory::Rings rings_;
  tcp::Mailbox mailbox_;
  std::vector<shared_memory::Outbox> outboxes_;  ///< by peer
  std::unordered_map<Ticket, Post> posts_;
  Ticket last_ticket_ = 0;
  Signature current_;  ///< of the latest collective
  std::optional<Error> failure_;
  bool closed_ = false;
};

}  // namespace lockstep

#include "transport/in_process/in_process_transport.h"

#include <algorithm>
#include <utility>

namespace lockstep {

InProcessTransport::InProcessTransport(std::shared_ptr<in_process::Group> group, int rank)
    : group_(std::move(group)), rank_(rank), traffic_(group_->size()) {}

InProcessTransport::~InProcessTransport() { group_->leave(rank_, false); }

Transport::Ticket InProcessTransport::post_send(int peer, const Signature& signature, const void* data,
                                                std::size_t bytes) {
  traffic_.sent(peer, bytes);
  // The group only reads what a send points to.
  return post(true, peer, signature, static_cast<std::byte*>(const_cast<void*>(data)), bytes);
}

Transport::Ticket InProcessTransport::post_receive(int peer, const Signature& signature, void* data,
                                                   std::size_t bytes) {
  return post(false, peer, signature, static_cast<std::byte*>(data), bytes);
}

Transport::Ticket InProcessTransport::post(bool is_send, int peer, const Signature& signature,
                                           std::byte* data, std::size_t bytes) {
  in_process::Post half;
  half.is_send = is_send;
  half.owner = rank_;
  half.peer = peer;
  half.signature = signature;
  half.data = data;
  half.bytes = bytes;
  const Ticket ticket = next_ticket_++;
  pending_.emplace(ticket, group_->post(std::move(half)));
  return ticket;
}

std::unique_ptr<Wire> InProcessTransport::take_wire() {
  return std::make_unique<in_process::InProcessWire>(group_->wires(), rank_);
}

int InProcessTransport::wait(Ticket ticket, const Deadline& deadline) {
  auto found = pending_.find(ticket);
  if (found == pending_.end()) {
    throw Error(ErrorCode::INVALID_ARGUMENT,
                "Ticket " + std::to_string(ticket) + " has been waited for already.");
  }
  const in_process::Post& post = *found->second;
  const int peer = group_->wait(*found->second, deadline, traffic_);
  if (!post.is_send) traffic_.received(peer, post.bytes);
  pending_.erase(found);
  return peer;
}

void InProcessTransport::abort(const Error& reason) noexcept { group_->abort(rank_, reason); }

void InProcessTransport::close() noexcept {
  group_->leave(rank_, true);
  pending_.clear();
}

std::unique_ptr<Transport> InProcessTransport::split(std::span<const int> members, const Deadline& deadline) {
  std::shared_ptr<in_process::Group> group = group_->split(rank_, members, deadline);
  if (group == nullptr) return nullptr;
  const auto position = std::ranges::find(members, rank_) - members.begin();
  return std::make_unique<InProcessTransport>(std::move(group), static_cast<int>(position));
}

}  // namespace lockstep

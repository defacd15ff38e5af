#include "transport/shared_memory/shared_memory_transport.h"

#include <algorithm>

#include "core/log.h"

namespace lockstep {

using shared_memory::Report;

SharedMemoryTransport::SharedMemoryTransport(std::unique_ptr<SharedMemory> memory,
                                             const SharedMemoryOptions& options)
    : options_(options),
      memory_(std::move(memory)),
      rings_(memory_->rings(shared_memory::Use::COLLECTIVES)),
      mailbox_(memory_->rank(), memory_->size(), 1) {
  for (int peer = 0; peer < size(); ++peer)
    outboxes_.emplace_back(memory_->rings(shared_memory::Use::COLLECTIVES), peer);
  memory_->set_while_waiting([this] { progress(); });
}

void SharedMemoryTransport::check_peer(int peer) const {
  if (peer >= 0 && peer < size() && peer != rank()) return;
  throw Error(ErrorCode::INVALID_ARGUMENT,
              "Rank " + std::to_string(rank()) + " of " + std::to_string(size()) +
                  " cannot exchange messages with rank " + std::to_string(peer) + ".");
}

void SharedMemoryTransport::enter(const Signature& signature) {
  if (signature.is_point_to_point() || signature == current_) return;
  current_ = signature;
  memory_->note(signature);
  mailbox_.enter(signature);
}

tcp::Post& SharedMemoryTransport::new_post(int peer, const Signature& signature, const void* data,
                                           std::size_t bytes) {
  Post& post = posts_[++last_ticket_];
  post.peer = peer;
  post.signature = signature;
  post.data = static_cast<std::byte*>(const_cast<void*>(data));
  post.bytes = bytes;
  return post;
}

Transport::Ticket SharedMemoryTransport::post_send(int peer, const Signature& signature, const void* data,
                                                   std::size_t bytes) {
  check_peer(peer);
  Post& post = new_post(peer, signature, data, bytes);
  post.is_send = true;
  memory_->traffic().sent(peer, bytes);
  if (failure_ || closed_) return last_ticket_;
  try {
    enter(signature);
    memory_->check_failure();
    outboxes_[static_cast<std::size_t>(peer)].send(post);
  } catch (const Error& error) {
    failure_ = error;  // wait() throws it
  }
  return last_ticket_;
}

Transport::Ticket SharedMemoryTransport::post_receive(int peer, const Signature& signature, void* data,
                                                      std::size_t bytes) {
  if (peer != ANY || !signature.is_point_to_point()) check_peer(peer);
  Post& post = new_post(peer, signature, data, bytes);
  if (failure_ || closed_) return last_ticket_;
  try {
    enter(signature);
    mailbox_.post(post);
  } catch (const Error& error) {
    failure_ = error;  // wait() throws it
  }
  return last_ticket_;
}

std::unique_ptr<Wire> SharedMemoryTransport::take_wire() {
  return std::make_unique<shared_memory::SharedMemoryWire>(memory_->rings(shared_memory::Use::MESSAGES),
                                                           options_, memory_->is_oversubscribed());
}

int SharedMemoryTransport::wait(Ticket ticket, const Deadline& deadline) {
  if (closed_) throw Error(ErrorCode::CLOSED, "The group has been closed.");
  auto found = posts_.find(ticket);
  if (found == posts_.end()) {
    throw Error(ErrorCode::INVALID_ARGUMENT,
                "Ticket " + std::to_string(ticket) + " names no pending message.");
  }
  Post& post = found->second;
  try {
    if (failure_) throw Error(*failure_);
    memory_->check_failure();
    await(post, deadline);
  } catch (const Error& error) {
    abort(error);
    throw;
  }
  const int peer = post.peer;
  if (!post.is_send) memory_->traffic().received(peer, post.bytes);
  posts_.erase(found);
  return peer;
}

void SharedMemoryTransport::await(Post& post, const Deadline& deadline) {
  const Waiting waiting{post.signature, deadline};
  const int awaited = post.peer;
  auto is_complete = [&] {
    progress();
    if (post.complete) return true;
    // Nobody is awaited in particular: then it takes one who is still there.
    if (awaited == ANY && all_others_left()) throw peer_left_error(rank(), ANY, post.signature);
    return false;
  };
  if (is_complete()) return;
  memory_->wait(is_complete, awaited, waiting);
}

bool SharedMemoryTransport::all_others_left() const {
  for (int peer = 0; peer < size(); ++peer) {
    if (peer != rank() && !memory_->has_left(peer)) return false;
  }
  return true;
}

bool SharedMemoryTransport::progress() {
  bool moved = false;
  for (int peer = 0; peer < size(); ++peer) {
    if (peer == rank()) continue;
    shared_memory::Outbox& outbox = outboxes_[static_cast<std::size_t>(peer)];
    if (!outbox.is_empty()) moved = outbox.flush() || moved;
    moved = shared_memory::take_frames(rings_, peer, mailbox_) || moved;
  }
  return moved;
}

void SharedMemoryTransport::abort(const Error& reason) noexcept {
  try {
    if (!failure_) failure_ = reason;
  } catch (const std::exception&) {
    // No memory for a copy; the peers are told all the same.
  }
  // A rank that is closed by its own program leaves with a goodbye instead.
  if (!closed_ && reason.code() != ErrorCode::CLOSED) memory_->fail(reason);
}

void SharedMemoryTransport::close() noexcept {
  if (closed_) return;
  closed_ = true;
  try {
    if (!failure_) progress();
    if (auto unread = failure_ ? std::nullopt : mailbox_.unread_collective()) {
      log_notice(LogLevel::WARN, "When rank " + std::to_string(rank()) + " left its group: rank " +
                                     std::to_string(unread->source) + " called " +
                                     unread->signature.describe() + ", in which this rank took no part.");
    }
  } catch (const std::exception& error) {
    log_notice(LogLevel::WARN,
               "When rank " + std::to_string(rank()) + " left its group: " + std::string(error.what()));
  }
  memory_->leave();
}

// The members tell each other over the parent, as part of the collective that made them split.
shared_memory::Exchange SharedMemoryTransport::exchange_among(std::span<const int> members,
                                                              const Deadline& deadline) {
  return [this, members, &deadline](const Report& own) {
    std::vector<Report> reports(members.size());
    std::vector<Ticket> tickets;
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (members[i] == rank()) {
        reports[i] = own;
        continue;
      }
      tickets.push_back(post_receive(members[i], current_, &reports[i], sizeof(Report)));
      tickets.push_back(post_send(members[i], current_, &own, sizeof(Report)));
    }
    wait_all(tickets, deadline);
    return reports;
  };
}

std::unique_ptr<Transport> SharedMemoryTransport::split(std::span<const int> members,
                                                        const Deadline& deadline) {
  if (closed_) throw Error(ErrorCode::CLOSED, "The group has been closed.");
  if (members.empty()) return nullptr;
  const auto own = std::ranges::find(members, rank());
  if (own == members.end()) {
    throw Error(ErrorCode::INVALID_ARGUMENT,
                "Rank " + std::to_string(rank()) + " cannot form a sub-group to which it does not belong.");
  }
  const shared_memory::Place place{static_cast<int>(own - members.begin()), static_cast<int>(members.size()),
                                   0, "split"};
  std::string reason;
  auto memory = shared_memory::form(place, options_, exchange_among(members, deadline), reason);
  if (memory == nullptr) {
    const Error error(ErrorCode::SYSTEM, reason);
    abort(error);
    throw error;
  }
  return std::make_unique<SharedMemoryTransport>(std::move(memory), options_);
}

}  // namespace lockstep

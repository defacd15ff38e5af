#include "channel/channels.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "core/data_type.h"
#include "transport/transport.h"

namespace lockstep {
namespace {

Signature signature_of(const Transfer& transfer) {
  Signature signature;
  signature.operation = Operation::SEND;
  signature.type = transfer.type;
  signature.tag = transfer.tag;
  signature.count = transfer.count;
  return signature;
}

}  // namespace

struct Channels::Receiver final : WireReceiver {
  explicit Receiver(Channels& owner) : channels(owner) {}
  void begin_frame(tcp::StreamId lane, const tcp::FrameHeader& header) override {
    channels.inbox_.begin_frame(lane.peer, header);
  }
  std::byte* place(tcp::StreamId lane, std::uint32_t at) override {
    return channels.inbox_.place(lane.peer, at);
  }
  void end_frame(tcp::StreamId lane, const tcp::FrameHeader&) override {
    channels.inbox_.end_frame(lane.peer);
  }
  void peer_gone(int peer, const std::optional<Error>& broken) override { channels.peer_gone(peer, broken); }
  Channels& channels;
};

Channels::Channels(std::unique_ptr<Wire> wire, OperationStatistics& statistics, CompletionQueue& completions)
    : wire_(std::move(wire)),
      rank_(wire_->rank()),
      size_(wire_->size()),
      statistics_(statistics),
      traffic_(size_),
      completions_(completions),
      inbox_(rank_, size_),
      sends_(static_cast<std::size_t>(size_)),
      gone_(static_cast<std::size_t>(size_)) {}

// Who drives the wire lets others in between two looks.
Channels::Lock Channels::enter() {
  Lock lock(mutex_, std::try_to_lock);
  if (lock.owns_lock()) return lock;
  contenders_.fetch_add(1);
  lock.lock();
  contenders_.fetch_sub(1);
  return lock;
}

void Channels::check_open() const {
  if (!closed_) return;
  throw Error(ErrorCode::CLOSED, "The communicator of rank " + std::to_string(rank_) + " has been closed.");
}

std::shared_ptr<Message> Channels::make(const Transfer& transfer) {
  std::shared_ptr<Message> message;
  if (!spare_.empty()) {
    message = std::move(spare_.back());
    spare_.pop_back();
  } else {
    message = std::make_shared<Message>();
  }
  message->post.is_send = transfer.is_send;
  message->post.peer = transfer.peer;
  message->post.signature = signature_of(transfer);
  message->post.data = transfer.data;
  message->post.bytes = transfer.count * size_of(transfer.type);
  message->exact = transfer.exact;
  return message;
}

void Channels::begin(Message& message) {
  tcp::Post& post = message.post;
  if (post.is_send) {
    if (gone_[static_cast<std::size_t>(post.peer)])
      return end(message, gone_error(post.peer, post.signature));
    traffic_.sent(post.peer, post.bytes);
    wire_->send(post);
    if (post.complete) return end(message, std::nullopt);
    sends_[static_cast<std::size_t>(post.peer)].push_back(&message);
    ++sends_pending_;
    return collect();
  }
  inbox_.post(message);
  collect();
  if (message.ended.load(std::memory_order_relaxed) || message.arriving) return;
  const bool is_any = post.peer == Transport::ANY;
  const bool nobody = is_any ? all_gone() : gone_[static_cast<std::size_t>(post.peer)].has_value();
  if (nobody && inbox_.take_back(message)) end(message, gone_error(post.peer, post.signature));
}

void Channels::end(Message& message, std::optional<Error> error) {
  const std::shared_ptr<Message> self = std::move(message.self);
  message.error = std::move(error);
  if (!message.error && !message.post.is_send) traffic_.received(message.post.peer, message.post.bytes);
  message.ended.store(true, std::memory_order_release);
  if (message.completions != nullptr) message.completions->push(message.completion_id);
  if (sleepers_ > 0) changed_.notify_all();
}

/// Ends what has been completed since.
void Channels::collect() {
  for (int peer = 0; sends_pending_ > 0 && peer < size_; ++peer) {
    std::deque<Message*>& sends = sends_[static_cast<std::size_t>(peer)];
    while (!sends.empty() && sends.front()->post.complete) {
      Message& message = *sends.front();
      sends.pop_front();
      --sends_pending_;
      end(message, std::nullopt);
    }
  }
  if (inbox_.ended().empty()) return;
  for (Message* message : inbox_.ended()) end(*message, std::move(message->error));
  inbox_.ended().clear();
}

bool Channels::progress() {
  Receiver receiver(*this);
  const bool moved = wire_->progress(receiver);
  if (moved) collect();
  return moved;
}

Error Channels::gone_error(int peer, const Signature& signature) const {
  if (peer == Transport::ANY) return peer_left_error(rank_, peer, signature);
  const std::optional<Error>& why = gone_[static_cast<std::size_t>(peer)];
  if (why && why->code() != ErrorCode::CLOSED) return *why;
  return peer_left_error(rank_, peer, signature);
}

bool Channels::all_gone() const {
  for (int peer = 0; peer < size_; ++peer) {
    if (peer != rank_ && !gone_[static_cast<std::size_t>(peer)]) return false;
  }
  return true;
}

void Channels::peer_gone(int peer, const std::optional<Error>& broken) {
  std::optional<Error>& why = gone_[static_cast<std::size_t>(peer)];
  if (why) return;
  // CLOSED stands for a goodbye here; what the messages end with says that the peer has left.
  why = broken ? *broken : Error(ErrorCode::CLOSED, "", peer);
  Signature signature;
  signature.operation = Operation::SEND;
  std::deque<Message*> sends;
  sends.swap(sends_[static_cast<std::size_t>(peer)]);
  sends_pending_ -= sends.size();
  for (Message* message : sends) {
    end(*message,
        message->post.complete ? std::nullopt : std::optional(gone_error(peer, message->post.signature)));
  }
  inbox_.peer_gone(peer, gone_error(peer, signature));
  if (all_gone()) inbox_.end_all(gone_error(Transport::ANY, signature), true);
  collect();
}

std::shared_ptr<Message> Channels::post(const Transfer& transfer, bool in_background) {
  Lock lock = enter();
  check_open();
  std::shared_ptr<Message> message = make(transfer);
  message->self = message;
  begin(*message);
  if (in_background && !message->ended.load(std::memory_order_relaxed)) start_background(lock);
  return message;
}

bool Channels::cancel(Message& message) {
  Lock lock = enter();
  if (message.ended.load(std::memory_order_relaxed)) return false;
  if (message.post.is_send) {
    if (!wire_->take_back(message.post)) return false;
    std::deque<Message*>& sends = sends_[static_cast<std::size_t>(message.post.peer)];
    std::erase(sends, &message);
    --sends_pending_;
  } else if (!inbox_.take_back(message)) {
    return false;
  }
  end(message, Error(ErrorCode::CLOSED, "The " + message.post.signature.describe() + " was cancelled."));
  return true;
}

void Channels::announce(Message& message, std::int64_t id) {
  Lock lock = enter();
  if (message.ended.load(std::memory_order_relaxed)) return completions_.push(id);
  message.completions = &completions_;
  message.completion_id = id;
  start_background(lock);
}

void Channels::release(Lock& lock, Message& message) {
  if (!message.post.is_send) {
    if (!inbox_.take_back(message)) inbox_.detach(message);
    end(message, Error(ErrorCode::TIMEOUT, ""));
  } else if (message.post.bytes > 0) {
    message.own_copy = std::make_unique_for_overwrite<std::byte[]>(message.post.bytes);
    std::memcpy(message.own_copy.get(), message.post.data, message.post.bytes);
    message.post.data = message.own_copy.get();
    start_background(lock);
  }
}

void Channels::count(const Message& message, std::int64_t nanoseconds) {
  const bool is_send = message.post.is_send;
  statistics_.add(is_send ? Operation::SEND : Operation::RECEIVE, Algorithm::NONE,
                  is_send ? static_cast<std::int64_t>(message.post.bytes) : 0, nanoseconds, nanoseconds,
                  message.error.has_value());
}

std::optional<Incoming> Channels::poll(int peer, int tag) {
  Lock lock = enter();
  check_open();
  progress();
  return inbox_.find(peer, tag);
}

}  // namespace lockstep

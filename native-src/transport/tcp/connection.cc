#include "transport/tcp/connection.h"

#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace lockstep::tcp {
namespace {

// receive() returns after so many reads even when more has come, so that one fast peer cannot starve the
// others.
constexpr int READS_AT_ONCE = 16;

bool would_block(int number) { return number == EAGAIN || number == EWOULDBLOCK; }

}  // namespace

Connection::Connection(Descriptor socket, int own_rank, int peer, std::uint32_t frame_payload_limit)
    : socket_(std::move(socket)),
      own_rank_(own_rank),
      peer_(peer),
      limit_(frame_payload_limit),
      staging_(STAGING_BYTES) {}

void Connection::queue(Post& post) { queue_.push_back({&post, {}, 0, false}); }

void Connection::queue_control(std::vector<std::byte> frame) {
  queue_.push_back({nullptr, std::move(frame), 0, false});
}

void Connection::drop_queued() {
  while (queue_.size() > (is_mid_frame() ? 1U : 0U)) queue_.pop_back();
  if (is_mid_frame()) {
    queue_.front().ends_early = true;
  } else {
    head_bytes_ = 0;
  }
}

void Connection::begin_frame(const Outgoing& message) {
  frame_done_ = 0;
  if (message.post == nullptr) {
    head_bytes_ = FRAME_HEADER_BYTES;
    std::memcpy(head_.data(), message.control.data(), head_bytes_);
    body_ = message.control.data() + head_bytes_;
    body_bytes_ = message.control.size() - head_bytes_;
    return;
  }
  const Post& post = *message.post;
  FrameHeader header;
  header.source = own_rank_;
  header.signature = post.signature;
  header.total = post.bytes;
  header.offset = message.framed;
  header.payload = static_cast<std::uint32_t>(std::min<std::uint64_t>(limit_, post.bytes - message.framed));
  encode_frame(header, head_);
  head_bytes_ = FRAME_HEADER_BYTES;
  body_ = post.data + message.framed;
  body_bytes_ = header.payload;
}

void Connection::advance(std::size_t sent) {
  frame_done_ += sent;
  if (frame_done_ < head_bytes_ + body_bytes_) return;
  Outgoing& message = queue_.front();
  message.framed += body_bytes_;
  frame_done_ = head_bytes_ = 0;
  bool whole = message.post == nullptr || message.framed == message.post->bytes;
  if (!whole && !message.ends_early) return;
  if (message.post != nullptr && whole) message.post->complete = true;
  queue_.pop_front();
}

bool Connection::flush() {
  while (!queue_.empty() && socket_ && error_ == 0) {
    if (head_bytes_ == 0) begin_frame(queue_.front());
    std::size_t head_done = std::min(frame_done_, head_bytes_);
    std::size_t body_done = frame_done_ - head_done;
    iovec parts[2] = {{head_.data() + head_done, head_bytes_ - head_done},
                      {const_cast<std::byte*>(body_) + body_done, body_bytes_ - body_done}};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = 2;
    ssize_t sent = ::sendmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) {
      advance(static_cast<std::size_t>(sent));
    } else if (would_block(errno)) {
      return false;
    } else if (errno != EINTR) {
      error_ = errno;
    }
  }
  return queue_.empty();
}

ssize_t Connection::read_some(FrameReceiver& receiver) {
  iovec parts[2];
  std::size_t count = 0;
  std::size_t payload_left = in_payload_ ? incoming_.payload - payload_done_ : 0;
  if (payload_left > 0) parts[count++] = {receiver.place(peer_, payload_done_), payload_left};
  parts[count++] = {staging_.data() + staged_, staging_.size() - staged_};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = count;
  ssize_t got;
  do {
    got = ::recvmsg(socket_.get(), &message, MSG_DONTWAIT);
  } while (got < 0 && errno == EINTR);
  if (got <= 0) return got;
  std::size_t direct = std::min(static_cast<std::size_t>(got), payload_left);
  payload_done_ += static_cast<std::uint32_t>(direct);
  staged_ += static_cast<std::size_t>(got) - direct;
  return got;
}

void Connection::digest(FrameReceiver& receiver) {
  std::size_t at = 0;
  for (;;) {
    if (in_payload_) {
      std::size_t part = std::min<std::size_t>(incoming_.payload - payload_done_, staged_ - at);
      if (part > 0) std::memcpy(receiver.place(peer_, payload_done_), staging_.data() + at, part);
      at += part;
      payload_done_ += static_cast<std::uint32_t>(part);
      if (payload_done_ < incoming_.payload) break;
      in_payload_ = false;
      receiver.end_frame(peer_, incoming_);
    }
    if (staged_ - at < FRAME_HEADER_BYTES) break;
    std::string reason;
    auto head = std::span<const std::byte, FRAME_HEADER_BYTES>(staging_.data() + at, FRAME_HEADER_BYTES);
    auto header = parse_frame(head, limit_, reason);
    if (!header) {
      throw Error(ErrorCode::PEER_FAILED,
                  "Rank " + std::to_string(peer_) + " sent " + reason +
                      "; its process or the connection to it is broken.",
                  peer_);
    }
    at += FRAME_HEADER_BYTES;
    incoming_ = *header;
    payload_done_ = 0;
    in_payload_ = true;
    receiver.begin_frame(peer_, incoming_);
  }
  // Payload is always taken out whole, so what stays is less than a header.
  staged_ -= at;
  if (staged_ > 0 && at > 0) std::memmove(staging_.data(), staging_.data() + at, staged_);
}

bool Connection::receive(FrameReceiver& receiver) {
  for (int reads = 0; reads < READS_AT_ONCE && socket_; ++reads) {
    std::size_t room = staging_.size() - staged_ + (in_payload_ ? incoming_.payload - payload_done_ : 0);
    ssize_t got = read_some(receiver);
    if (got < 0 && would_block(errno)) break;
    if (got <= 0) {
      if (got < 0 && error_ == 0) error_ = errno;
      return false;
    }
    digest(receiver);
    if (static_cast<std::size_t>(got) < room) break;
  }
  return static_cast<bool>(socket_);
}

}  // namespace lockstep::tcp

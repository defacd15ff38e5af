#include "transport/tcp/mesh/connection.h"

#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace lockstep::tcp {
namespace {

// receive() returns after so many reads even when more has come, so that one fast peer cannot starve the
// others.
constexpr int READS_AT_ONCE = 16;
// Small messages that wait together leave together, up to so many.
constexpr std::size_t FRAMES_AT_ONCE = 16;

bool would_block(int number) { return number == EAGAIN || number == EWOULDBLOCK; }

}  // namespace

Connection::Connection(Descriptor socket, int own_rank, StreamId lane, std::uint32_t frame_payload_limit)
    : socket_(std::move(socket)),
      own_rank_(own_rank),
      lane_(lane),
      limit_(frame_payload_limit),
      staging_(STAGING_BYTES) {}

void Connection::queue(Post& post) { queue_.push_back({&post, {}, 0, false}); }

void Connection::queue_control(std::vector<std::byte> frame) {
  queue_.push_back({nullptr, std::move(frame), 0, false});
}

bool Connection::take_back(const Post& post) {
  const auto found = std::ranges::find(queue_, &post, &Outgoing::post);
  if (found == queue_.end() || found->framed > 0 || (found == queue_.begin() && is_mid_frame())) return false;
  queue_.erase(found);
  return true;
}

void Connection::drop_queued() {
  while (queue_.size() > (is_mid_frame() ? 1U : 0U)) queue_.pop_back();
  if (is_mid_frame()) queue_.front().ends_early = true;
}

// Of the frame of `message` that begins at `offset`; a control frame is all header here.
std::size_t Connection::payload_of(const Outgoing& message, std::uint64_t offset) const {
  return message.post == nullptr ? message.control.size() - FRAME_HEADER_BYTES
                                 : std::min<std::uint64_t>(limit_, message.post->bytes - offset);
}

FrameHeader Connection::header_of(const Post& post, std::uint64_t offset) const {
  FrameHeader header;
  header.source = own_rank_;
  header.signature = post.signature;
  header.total = post.bytes;
  header.offset = offset;
  header.payload = static_cast<std::uint32_t>(std::min<std::uint64_t>(limit_, post.bytes - offset));
  header.number = post.number;
  return header;
}

// Several frames in one call: the headers are encoded anew each time, which is cheaper than a call for each.
ssize_t Connection::write_some() {
  std::array<FrameHeaderBytes, FRAMES_AT_ONCE> heads;
  std::array<iovec, 2 * FRAMES_AT_ONCE> parts;
  std::size_t frames = 0;
  std::size_t done = frame_done_;
  for (auto message = queue_.begin(); message != queue_.end() && frames < FRAMES_AT_ONCE; ++message) {
    for (std::uint64_t offset = message->framed; frames < FRAMES_AT_ONCE;) {
      const std::size_t payload = payload_of(*message, offset);
      const std::byte* body;
      if (message->post == nullptr) {
        std::memcpy(heads[frames].data(), message->control.data(), FRAME_HEADER_BYTES);
        body = message->control.data() + FRAME_HEADER_BYTES;
      } else {
        encode_frame(header_of(*message->post, offset), heads[frames]);
        body = message->post->data + offset;
      }
      const std::size_t head_done = std::min(done, FRAME_HEADER_BYTES);
      const std::size_t body_done = done - head_done;
      parts[2 * frames] = {heads[frames].data() + head_done, FRAME_HEADER_BYTES - head_done};
      parts[2 * frames + 1] = {const_cast<std::byte*>(body) + body_done, payload - body_done};
      ++frames;
      done = 0;
      offset += payload;
      if (message->post == nullptr || offset == message->post->bytes || message->ends_early) break;
    }
  }
  msghdr out{};
  out.msg_iov = parts.data();
  out.msg_iovlen = 2 * frames;
  return ::sendmsg(socket_.get(), &out, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void Connection::advance(std::size_t sent) {
  while (!queue_.empty()) {
    Outgoing& message = queue_.front();
    const std::size_t payload = payload_of(message, message.framed);
    const std::size_t left = FRAME_HEADER_BYTES + payload - frame_done_;
    if (sent < left) {
      frame_done_ += sent;
      return;
    }
    sent -= left;
    frame_done_ = 0;
    message.framed += payload;
    const bool whole = message.post == nullptr || message.framed == message.post->bytes;
    if (message.post != nullptr && whole) message.post->complete = true;
    if (whole || message.ends_early) queue_.pop_front();
  }
}

bool Connection::flush() {
  while (!queue_.empty() && socket_ && error_ == 0) {
    ssize_t sent = write_some();
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
  if (payload_left > 0) parts[count++] = {receiver.place(lane_, payload_done_), payload_left};
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
      if (part > 0) std::memcpy(receiver.place(lane_, payload_done_), staging_.data() + at, part);
      at += part;
      payload_done_ += static_cast<std::uint32_t>(part);
      if (payload_done_ < incoming_.payload) break;
      in_payload_ = false;
      receiver.end_frame(lane_, incoming_);
    }
    if (staged_ - at < FRAME_HEADER_BYTES) break;
    std::string reason;
    auto head = std::span<const std::byte, FRAME_HEADER_BYTES>(staging_.data() + at, FRAME_HEADER_BYTES);
    auto header = parse_frame(head, limit_, reason);
    if (!header) {
      throw Error(ErrorCode::PEER_FAILED,
                  "Rank " + std::to_string(lane_.peer) + " sent " + reason +
                      "; its process or the connection to it is broken.",
                  lane_.peer);
    }
    at += FRAME_HEADER_BYTES;
    incoming_ = *header;
    payload_done_ = 0;
    in_payload_ = true;
    receiver.begin_frame(lane_, incoming_);
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

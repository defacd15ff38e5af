#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "transport/messages/mailbox.h"
#include "transport/tcp/handshake/socket.h"
#include "transport/tcp/wire/frame.h"

namespace lockstep::tcp {

/// What a Connection tells of the frames that arrive on it. Any of these may throw Error.
class FrameReceiver {
 public:
  virtual void begin_frame(StreamId lane, const FrameHeader& header) = 0;
  virtual std::byte* place(StreamId lane, std::uint32_t at) = 0;
  virtual void end_frame(StreamId lane, const FrameHeader& header) = 0;

 protected:
  ~FrameReceiver() = default;
};

/// An established connection to a peer: a queue of messages to send, and the frame that is arriving. Never
/// blocks.
class Connection {
 public:
  Connection(Descriptor socket, int own_rank, StreamId lane, std::uint32_t frame_payload_limit);

  int fd() const { return socket_.get(); }
  bool is_open() const { return static_cast<bool>(socket_); }
  void cut() noexcept { socket_.reset(); }

  /// Queues a message; flush() sets post.complete once its bytes are with the system.
  void queue(Post& post);
  void queue_control(std::vector<std::byte> frame);

  /// Sends what the socket takes. @return whether nothing is left
  /// An error of the socket is not reported here: it ends the stream, and receive() then tells what came
  /// before it.
  bool flush();
  bool is_idle() const { return queue_.empty(); }

  /// Whether the frame on its way out has begun and still needs the memory of its post.
  bool is_mid_frame() const { return frame_done_ > 0; }
  /// Takes back a queued message. @return false where it has begun, or is not queued
  bool take_back(const Post& post);
  /// Drops all that is queued and not begun; of a message, the frames after the one that has begun.
  void drop_queued();

  /// Takes what has arrived. @return false at the end of the stream (error() is its errno, or 0)
  /// @throws Error PEER_FAILED for bytes that are no frame, and whatever the receiver throws
  bool receive(FrameReceiver& receiver);
  int error() const { return error_; }

 private:
  struct Outgoing {
    Post* post = nullptr;            // null for a control frame
    std::vector<std::byte> control;  // header and payload
    std::uint64_t framed = 0;        // bytes of the message in frames that are done
    bool ends_early = false;         // after the frame that has begun
  };

  std::size_t payload_of(const Outgoing& message, std::uint64_t offset) const;
  FrameHeader header_of(const Post& post, std::uint64_t offset) const;
  ssize_t write_some();
  void advance(std::size_t sent);
  ssize_t read_some(FrameReceiver& receiver);
  void digest(FrameReceiver& receiver);

  // Holds whole small messages; a large payload passes it by, but for its first part.
  static constexpr std::size_t STAGING_BYTES = 16 * 1024;

  Descriptor socket_;
  const int own_rank_;
  const StreamId lane_;
  const std::uint32_t limit_;
  int error_ = 0;

  std::deque<Outgoing> queue_;
  std::size_t frame_done_ = 0;  // bytes of the first frame's header and payload that are sent

  std::vector<std::byte> staging_;
  std::size_t staged_ = 0;
  bool in_payload_ = false;
  FrameHeader incoming_;
  std::uint32_t payload_done_ = 0;
};

}  // namespace lockstep::tcp

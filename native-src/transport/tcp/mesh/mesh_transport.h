#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "transport/messages/mailbox.h"
#include "transport/stall.h"
#include "transport/tcp/handshake/rendezvous.h"
#include "transport/tcp/mesh/connection.h"
#include "transport/tcp/mesh/tcp_wire.h"
#include "transport/tcp/wire/control.h"

namespace lockstep::tcp {

/// The transport over a mesh of TCP connections, one or more a pair. It has no thread for data: whoever waits
/// drives all sockets.
class MeshTransport final : public Transport, private FrameReceiver {
 public:
  MeshTransport(Mesh mesh, const TcpOptions& options);
  ~MeshTransport() override { close(); }

  int rank() const override { return rank_; }
  int size() const override { return static_cast<int>(peers_.size()); }
  std::string name() const override { return "tcp"; }
  Traffic* traffic() override { return &traffic_; }
  std::unique_ptr<Wire> take_wire() override;

  Ticket post_send(int peer, const Signature& signature, const void* data, std::size_t bytes) override;
  Ticket post_receive(int peer, const Signature& signature, void* data, std::size_t bytes) override;
  int wait(Ticket ticket, const Deadline& deadline) override;
  void abort(const Error& reason) noexcept override;
  void close() noexcept override;
  std::unique_ptr<Transport> split(std::span<const int> members, const Deadline& deadline) override;

 private:
  struct Stream {
    std::unique_ptr<Connection> connection;
    bool has_ended = false;                // with a goodbye
    bool awaits_room = false;              // registered for EPOLLOUT
    FrameKind arriving = FrameKind::DATA;  // of the frame that is arriving
    std::vector<std::byte> control;        // its payload, unless it is DATA

    bool is_open() const { return connection->is_open(); }
    bool is_in_use() const { return is_open() && !has_ended; }
  };

  struct Peer {
    std::vector<Stream> streams;             // none to the own rank
    std::uint32_t sent = 0;                  // messages of collectives; the number of the next
    Signature inquiry;                       // the collective in which it last said to wait
    std::optional<PendingOperation> answer;  // since this rank has last asked
    std::chrono::steady_clock::time_point answered_at{};
    bool has_gone_on = false;  // has sent something since
    bool wants_answer = false;
    Signature last_seen;  // of its latest message
    std::chrono::steady_clock::time_point last_seen_at{};

    /// Whether it has said goodbye on all streams, so that nothing of it is still to come.
    bool has_left() const { return !streams.empty() && std::ranges::all_of(streams, &Stream::has_ended); }
  };

  // How long a notice may lag behind what comes of the failure on other connections.
  static constexpr std::chrono::milliseconds NOTICE_LIMIT{200};
  static constexpr std::chrono::milliseconds LOOK_AGAIN{1};
  // Whoever waits for longer tells the others; few operations of a healthy job take that long.
  static constexpr std::chrono::milliseconds INQUIRY_AFTER{200};

  // FrameReceiver
  void begin_frame(StreamId lane, const FrameHeader& header) override;
  std::byte* place(StreamId lane, std::uint32_t at) override;
  void end_frame(StreamId lane, const FrameHeader& header) override;

  Peer& peer_at(int peer) { return peers_[static_cast<std::size_t>(peer)]; }
  const Peer& peer_at(int peer) const { return peers_[static_cast<std::size_t>(peer)]; }
  Stream& stream_at(StreamId lane) {
    return peer_at(lane.peer).streams[static_cast<std::size_t>(lane.stream)];
  }
  template <typename Visit>
  void for_each_stream(Visit visit) {
    for (Peer& peer : peers_) {
      for (Stream& stream : peer.streams) visit(stream);
    }
  }
  void watch(StreamId lane, int operation, std::uint32_t events);
  int stream_for(const Post& post) const;
  void enter(const Signature& signature);
  void compare_with(int peer) const;
  Post& new_post(int peer, const Signature& signature, const void* data, std::size_t bytes);
  void check_peer(int peer) const;
  Error cause_of_split_failure(const Error& error, std::span<const int> members);
  std::uint64_t subgroup_id(std::span<const int> members) const;

  // Progress (progress.cc)
  void drive(Post& post, const Deadline& deadline);
  void spin(Post& post);
  void wait_long(Post& post, const Deadline& deadline);
  void progress(std::chrono::milliseconds patience);
  void send_on(StreamId lane);
  void receive_on(StreamId lane);
  [[noreturn]] void report_loss(StreamId first);
  [[noreturn]] void rethrow(const AbortNotice& notice, int source);
  void check_departed(const Post& post) const;

  // What the ranks wait for (inquiry.cc)
  void inquire(const StallWatch& watch, bool wants_answer);
  void answer(const StallWatch& watch);
  void tell(int peer, const StallWatch& watch, bool wants_answer);
  void take_inquiry(int peer, const Signature& signature, std::span<const std::byte> bytes);
  void look_for_stall(StallWatch& watch);
  std::vector<WaitReport> wait_reports() const;
  std::vector<int> awaited_by(const Post& post, const StallWatch& watch) const;
  Error pass_on_blame(const Error& error, const Post& post, const StallWatch& watch) const;

  // Ending (ending.cc)
  void fail(const Error& reason, bool memory_is_valid) noexcept;
  void tell_peers(const Error& reason, bool memory_is_valid);
  void warn_of_unread();
  void say_goodbye();

  const int rank_;
  const std::uint64_t group_;
  const TcpOptions options_;
  const int streams_;
  const std::vector<Endpoint> roster_;
  std::shared_ptr<Acceptor> acceptor_;
  std::vector<Descriptor> channels_;  ///< until take_wire()
  Descriptor epoll_;
  std::vector<Peer> peers_;
  Mailbox mailbox_;
  Traffic traffic_;
  std::unordered_map<Ticket, Post> posts_;
  Ticket last_ticket_ = 0;
  std::uint64_t splits_ = 0;
  Signature current_;  // of the latest collective
  Signature doing_;    // what is or was awaited, for messages
  std::optional<Error> failure_;
  std::vector<std::byte> notice_;  // of the failure, as it came from where it began
  int notice_source_ = ANY;        // whose failure it tells of
  bool peers_know_ = false;        // of the failure
  bool closed_ = false;
  bool last_wait_was_short_ = true;
  bool asked_ = false;  // some peer wants an answer
  std::chrono::steady_clock::time_point last_progress_{};
};

}  // namespace lockstep::tcp

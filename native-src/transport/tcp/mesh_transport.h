#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "transport/stall.h"
#include "transport/tcp/connection.h"
#include "transport/tcp/control.h"
#include "transport/tcp/mailbox.h"
#include "transport/tcp/rendezvous.h"

namespace lockstep::tcp {

/// The transport over a mesh of TCP connections. It has no thread for data: whoever waits drives all sockets.
class MeshTransport final : public Transport, private FrameReceiver {
 public:
  MeshTransport(Mesh mesh, const TcpOptions& options);
  ~MeshTransport() override { close(); }

  int rank() const override { return rank_; }
  int size() const override { return static_cast<int>(peers_.size()); }
  std::string name() const override { return "tcp"; }
  const Traffic* traffic() const override { return &traffic_; }

  Ticket post_send(int peer, const Signature& signature, const void* data, std::size_t bytes) override;
  Ticket post_receive(int peer, const Signature& signature, void* data, std::size_t bytes) override;
  int wait(Ticket ticket, const Deadline& deadline) override;
  void abort(const Error& reason) noexcept override;
  void close() noexcept override;
  std::unique_ptr<Transport> split(std::span<const int> members, const Deadline& deadline) override;

 private:
  struct Peer {
    std::unique_ptr<Connection> connection;  // null for the own rank
    bool has_left = false;                   // said goodbye
    bool awaits_room = false;                // registered for EPOLLOUT
    Signature inquiry;                       // the collective in which it last said to wait
    std::optional<PendingOperation> answer;  // since this rank has last called the roll
    bool wants_answer = false;
    Signature last_seen;  // of its latest message
    std::chrono::steady_clock::time_point last_seen_at{};
    FrameKind arriving = FrameKind::DATA;  // of the frame that is arriving
    std::vector<std::byte> control;        // its payload, unless it is DATA

    bool is_open() const { return connection && connection->is_open(); }
  };

  // How long a notice may lag behind what comes of the failure on other connections.
  static constexpr std::chrono::milliseconds NOTICE_LIMIT{200};
  static constexpr std::chrono::milliseconds LOOK_AGAIN{1};

  // FrameReceiver
  void begin_frame(int peer, const FrameHeader& header) override;
  std::byte* place(int peer, std::uint32_t at) override;
  void end_frame(int peer, const FrameHeader& header) override;

  Peer& peer_at(int peer) { return peers_[static_cast<std::size_t>(peer)]; }
  const Peer& peer_at(int peer) const { return peers_[static_cast<std::size_t>(peer)]; }
  void enter(const Signature& signature);
  void compare_with(int peer) const;
  Post& new_post(int peer, const Signature& signature, const void* data, std::size_t bytes);
  void check_peer(int peer) const;
  Error cause_of_split_failure(const Error& error);
  std::uint64_t subgroup_id(std::span<const int> members) const;

  // Progress (progress.cc)
  void drive(Post& post, const Deadline& deadline);
  void spin(Post& post);
  void wait_long(Post& post, const Deadline& deadline);
  void progress(std::chrono::milliseconds patience);
  void send_to(int peer);
  void receive_from(int peer);
  [[noreturn]] void report_loss(int lost);
  [[noreturn]] void rethrow(const AbortNotice& notice, int source);
  void check_departed(const Post& post) const;

  // What the ranks wait for (inquiry.cc)
  void inquire(const StallWatch& watch, bool wants_answer);
  void answer(const StallWatch& watch);
  void tell(int peer, const StallWatch& watch, bool wants_answer);
  void take_inquiry(int peer, const Signature& signature);
  void look_for_stall(StallWatch& watch);
  std::vector<RollEntry> roll() const;

  // Ending (ending.cc)
  void fail(const Error& reason, bool memory_is_valid) noexcept;
  void tell_peers(const Error& reason, bool memory_is_valid);
  void warn_of_unread();
  void say_goodbye();
  void linger(std::chrono::milliseconds limit) noexcept;

  const int rank_;
  const std::uint64_t group_;
  const TcpOptions options_;
  const std::vector<Endpoint> roster_;
  std::shared_ptr<Gatekeeper> gatekeeper_;
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
  bool peers_know_ = false;        // of the failure
  bool closed_ = false;
  bool asked_ = false;  // some peer wants an answer
  std::chrono::steady_clock::time_point last_progress_{};
};

}  // namespace lockstep::tcp

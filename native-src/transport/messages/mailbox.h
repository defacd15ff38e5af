#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "transport/tcp/wire/frame.h"
#include "transport/transport.h"

namespace lockstep::tcp {

/// A send or receive that was posted and not yet waited for.
struct Post {
  bool is_send = false;
  int peer = Transport::ANY;  ///< of a receive from ANY: the sender, once a message has matched
  Signature signature;
  std::byte* data = nullptr;  ///< only read from when is_send
  std::size_t bytes = 0;
  bool complete = false;
  std::uint32_t number = 0;  ///< of a collective's message, among those between this pair in its direction
  int stream = 0;            ///< on which it travels
};

/// One of the connections to a peer.
struct StreamId {
  int peer;
  int stream;
};

/// PEER_FAILED for a peer whose frames do not follow one another.
Error broken_order_error(int peer);

/// Brings together posted receives and arriving messages. The parts of a message go straight to posted
/// memory; what nobody has asked for yet is kept in pieces of a frame each, so that memory grows with what
/// has arrived and never with what a header claims. Messages of collectives are matched by their number,
/// because those on different streams may overtake each other; SEND messages in the order in which they come.
class Mailbox {
 public:
  Mailbox(int rank, int size, int streams)
      : rank_(rank),
        streams_(streams),
        peers_(static_cast<std::size_t>(size)),
        arrivals_(static_cast<std::size_t>(size * streams)) {}

  /// This rank's collective from now on. @throws Error MISMATCH when a peer is found to be in another one
  void enter(const Signature& collective);

  /// A collective message that nobody has asked for, if there is one.
  struct Unread {
    int source;
    Signature signature;
  };
  std::optional<Unread> unread_collective() const;

  /// Takes a message that has arrived, wholly or in part, or queues the post.
  /// @throws Error MISMATCH
  void post(Post& post);

  /// A DATA frame begins. @throws Error MISMATCH, PEER_FAILED (frames out of order)
  void begin_frame(StreamId lane, const FrameHeader& header);
  /// Where byte `at` of the payload of that frame goes. A post in between may change it.
  std::byte* place(StreamId lane, std::uint32_t at);
  void end_frame(StreamId lane);
  void end_frame(StreamId lane, const FrameHeader&) { end_frame(lane); }

 private:
  struct Unexpected {
    StreamId lane{};
    std::uint32_t number = 0;
    Signature signature;
    std::uint64_t total = 0;
    std::vector<std::unique_ptr<std::byte[]>> pieces;
    std::vector<std::uint32_t> piece_bytes;
    bool complete = false;
  };
  using Messages = std::list<Unexpected>;

  struct Peer {
    std::list<Post*> receives;  // of collectives, in order
    Messages messages;          // of collectives, as they came
    std::uint32_t posted = 0;   // receives of collectives so far; the number of the next
  };

  /// The message that is arriving on one lane: it goes to a post or to an unexpected message.
  struct Arrival {
    bool arriving = false;
    FrameHeader head;  // of the arriving message's latest frame
    std::uint64_t received = 0;
    Post* post = nullptr;
    Unexpected* unexpected = nullptr;
  };

  void compare(int source, const Signature& signature) const;
  void begin_message(StreamId lane, const FrameHeader& header);
  Post* claim(int peer, const FrameHeader& header);
  Post* claim_collective(int peer, const FrameHeader& header);
  Messages::iterator find_message(Messages& messages, const Post& post);
  void hand_over(Unexpected& message, Post& post);
  void check(const Post& post, int source, const Signature& signature, std::uint64_t total) const;
  Peer& peer_at(int peer) { return peers_[static_cast<std::size_t>(peer)]; }
  Arrival& arrival_at(StreamId lane) {
    return arrivals_[static_cast<std::size_t>(lane.peer * streams_ + lane.stream)];
  }

  const int rank_;
  const int streams_;
  Signature current_;  // of the latest collective
  std::vector<Peer> peers_;
  std::vector<Arrival> arrivals_;
  std::list<Post*> receives_;  // of SEND messages, from one rank or ANY, in order
  Messages messages_;          // SEND messages, in the order in which they came
};

}  // namespace lockstep::tcp

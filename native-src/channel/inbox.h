#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "channel/message.h"
#include "transport/tcp/wire/frame.h"

namespace lockstep {

/// Brings together receives and the messages that come for them, matched by source and tag, first in, first
/// out. What nobody has asked for yet is kept in pieces of a frame each, so that memory grows with what has
/// come and never with what a header claims.
class Inbox {
 public:
  Inbox(int rank, int size) : rank_(rank), arrivals_(static_cast<std::size_t>(size)) {}

  /// Queues a receive, or gives it a message that has come. A message of another type or length ends the
  /// receive with MISMATCH and stays for another one.
  void post(Message& receive);
  /// Takes a receive back that no message has met. @return whether it did
  bool take_back(const Message& receive);
  /// Takes a receive back whose message is arriving: that goes on arriving, for another receive.
  void detach(Message& receive);

  /// The oldest message for (peer or ANY, tag) that has come, at least in part.
  std::optional<Incoming> find(int peer, int tag) const;

  void begin_frame(int peer, const tcp::FrameHeader& header);
  std::byte* place(int peer, std::uint32_t at);
  void end_frame(int peer);

  /// Nothing more comes from `peer`: its receives end with `error`, also one whose message was arriving.
  void peer_gone(int peer, const Error& error);
  /// Ends all receives. @param any_only only those from any rank
  void end_all(const Error& error, bool any_only);

  /// Receives that have ended since this was last looked at; the caller clears it.
  std::vector<Message*>& ended() { return ended_; }
  bool awaits() const { return !receives_.empty(); }

 private:
  struct Kept {
    int source = 0;
    Signature signature;
    std::uint64_t total = 0;
    std::vector<std::unique_ptr<std::byte[]>> pieces;
    std::vector<std::uint32_t> piece_bytes;
    bool complete = false;
  };

  struct Arrival {
    bool arriving = false;
    tcp::FrameHeader head;  ///< of the latest frame
    std::uint64_t received = 0;
    Message* receive = nullptr;
    std::list<Kept>::iterator kept;
  };

  Arrival& arrival_at(int peer) { return arrivals_[static_cast<std::size_t>(peer)]; }
  bool accept(Message& receive, int source, const Signature& signature, std::uint64_t total);
  void end(Message& receive, std::optional<Error> error);
  void begin_message(int peer, const tcp::FrameHeader& header);
  void add_piece(Kept& kept, std::uint32_t bytes);

  const int rank_;
  std::vector<Arrival> arrivals_;
  std::vector<Message*> receives_;  ///< that no message has met, in the order of their posts
  std::list<Kept> kept_;            ///< messages that no receive has met, in the order in which they came
  std::vector<Message*> ended_;
};

}  // namespace lockstep

#include "transport/messages/mailbox.h"

#include <algorithm>
#include <cstring>

namespace lockstep::tcp {

Error broken_order_error(int peer) {
  return Error(ErrorCode::PEER_FAILED,
               "Rank " + std::to_string(peer) +
                   " sent frames that do not follow one another; its process or the connection to it is "
                   "broken.",
               peer);
}

// A collective's receive takes the collective message of its number whatever it is, and check() compares; a
// SEND is found by its source and tag.
Mailbox::Messages::iterator Mailbox::find_message(Messages& messages, const Post& post) {
  if (!post.signature.is_point_to_point())
    return std::ranges::find(messages, post.number, &Unexpected::number);
  return std::find_if(messages.begin(), messages.end(), [&](const Unexpected& message) {
    return message.signature.tag == post.signature.tag &&
           (post.peer == Transport::ANY || post.peer == message.lane.peer);
  });
}

void Mailbox::enter(const Signature& collective) {
  current_ = collective;
  for (const Peer& peer : peers_) {
    for (const Unexpected& message : peer.messages) compare(message.lane.peer, message.signature);
  }
}

// Ranks that disagree may each send where the other does not receive (each takes itself for the root), so the
// messages that nobody has asked for are compared too. One of an earlier collective would have been taken in
// there.
void Mailbox::compare(int source, const Signature& signature) const {
  if (signature.sequence <= current_.sequence && signature != current_) {
    throw mismatch_error(rank_, current_, source, signature);
  }
}

std::optional<Mailbox::Unread> Mailbox::unread_collective() const {
  for (const Peer& peer : peers_) {
    if (!peer.messages.empty())
      return Unread{peer.messages.front().lane.peer, peer.messages.front().signature};
  }
  return std::nullopt;
}

void Mailbox::post(Post& post) {
  bool point_to_point = post.signature.is_point_to_point();
  if (!point_to_point) post.number = peer_at(post.peer).posted++;
  Messages& messages = point_to_point ? messages_ : peer_at(post.peer).messages;
  auto message = find_message(messages, post);
  if (message == messages.end()) {
    (point_to_point ? receives_ : peer_at(post.peer).receives).push_back(&post);
    return;
  }
  check(post, message->lane.peer, message->signature, message->total);
  hand_over(*message, post);
  messages.erase(message);
}

void Mailbox::hand_over(Unexpected& message, Post& post) {
  post.peer = message.lane.peer;
  std::byte* at = post.data;
  for (std::size_t i = 0; i < message.pieces.size(); ++i) {
    // The last piece may still be arriving. What is not there yet overwrites this copy (see place()).
    if (message.piece_bytes[i] > 0) std::memcpy(at, message.pieces[i].get(), message.piece_bytes[i]);
    at += message.piece_bytes[i];
  }
  if (message.complete) {
    post.complete = true;
    return;
  }
  Arrival& arrival = arrival_at(message.lane);
  arrival.post = &post;
  arrival.unexpected = nullptr;
}

void Mailbox::check(const Post& post, int source, const Signature& signature, std::uint64_t total) const {
  if (post.signature != signature) throw mismatch_error(rank_, post.signature, source, signature);
  if (post.bytes == total) return;
  throw Error(ErrorCode::MISMATCH,
              "Rank " + std::to_string(source) + " sent " + std::to_string(total) + " bytes in " +
                  signature.describe() + ", but rank " + std::to_string(rank_) + " expected " +
                  std::to_string(post.bytes) + "; all ranks must agree about every rank's length.",
              source);
}

Post* Mailbox::claim(int peer, const FrameHeader& header) {
  if (!header.signature.is_point_to_point()) return claim_collective(peer, header);
  auto found = std::ranges::find_if(receives_, [&](const Post* post) {
    return post->signature.tag == header.signature.tag &&
           (post->peer == Transport::ANY || post->peer == peer);
  });
  if (found == receives_.end()) return nullptr;
  Post* post = *found;
  check(*post, peer, header.signature, header.total);
  receives_.erase(found);
  return post;
}

Post* Mailbox::claim_collective(int peer, const FrameHeader& header) {
  Peer& from = peer_at(peer);
  // Numbers wrap around; those under way are close together.
  bool is_posted = static_cast<std::int32_t>(header.number - from.posted) < 0;
  auto found = std::ranges::find(from.receives, header.number, &Post::number);
  bool has_come =
      is_posted ? found == from.receives.end()
                : std::ranges::find(from.messages, header.number, &Unexpected::number) != from.messages.end();
  if (has_come) throw broken_order_error(peer);
  if (!is_posted) return nullptr;
  Post* post = *found;
  check(*post, peer, header.signature, header.total);
  from.receives.erase(found);
  return post;
}

void Mailbox::begin_message(StreamId lane, const FrameHeader& header) {
  Arrival& from = arrival_at(lane);
  from.post = claim(lane.peer, header);
  from.unexpected = nullptr;
  if (from.post != nullptr) {
    from.post->peer = lane.peer;
  } else {
    bool point_to_point = header.signature.is_point_to_point();
    if (!point_to_point) compare(lane.peer, header.signature);
    Messages& messages = point_to_point ? messages_ : peer_at(lane.peer).messages;
    messages.push_back({lane, header.number, header.signature, header.total, {}, {}, false});
    from.unexpected = &messages.back();
  }
  from.received = 0;
  from.arriving = true;
}

void Mailbox::begin_frame(StreamId lane, const FrameHeader& header) {
  Arrival& from = arrival_at(lane);
  bool first = header.offset == 0;
  bool continues = from.arriving && !first && header.offset == from.received &&
                   header.total == from.head.total && header.signature == from.head.signature &&
                   header.number == from.head.number;
  if (header.source != lane.peer || from.arriving == first || (!first && !continues)) {
    throw broken_order_error(lane.peer);
  }
  if (first) begin_message(lane, header);
  from.head = header;
  if (from.unexpected != nullptr) {
    from.unexpected->pieces.push_back(std::make_unique_for_overwrite<std::byte[]>(header.payload));
    from.unexpected->piece_bytes.push_back(header.payload);
  }
}

std::byte* Mailbox::place(StreamId lane, std::uint32_t at) {
  Arrival& from = arrival_at(lane);
  return from.post != nullptr ? from.post->data + from.head.offset + at
                              : from.unexpected->pieces.back().get() + at;
}

void Mailbox::end_frame(StreamId lane) {
  Arrival& from = arrival_at(lane);
  from.received += from.head.payload;
  if (from.received < from.head.total) return;
  from.arriving = false;
  if (from.post != nullptr) {
    from.post->complete = true;
  } else {
    from.unexpected->complete = true;
  }
}

}  // namespace lockstep::tcp

#include "channel/inbox.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "core/data_type.h"

namespace lockstep {
namespace {

bool fits(const Message& receive, int source, int tag) {
  return receive.post.signature.tag == tag &&
         (receive.post.peer == Transport::ANY || receive.post.peer == source);
}

std::string elements(std::uint64_t count, DataType type) {
  return std::to_string(count) + " " + name_of(type);
}

}  // namespace

void Inbox::end(Message& receive, std::optional<Error> error) {
  receive.error = std::move(error);
  receive.arriving = false;
  receive.post.complete = true;
  ended_.push_back(&receive);
}

/// @return whether `receive` takes this message; otherwise it has ended with MISMATCH
bool Inbox::accept(Message& receive, int source, const Signature& signature, std::uint64_t total) {
  const bool fits_memory = receive.exact ? total == receive.post.bytes : total <= receive.post.bytes;
  if (receive.post.signature.type == signature.type && fits_memory) {
    receive.post.peer = source;
    receive.received_count = signature.count;
    return true;
  }
  end(receive, Error(ErrorCode::MISMATCH,
                     "Rank " + std::to_string(source) + " sent " + elements(signature.count, signature.type) +
                         " with tag " + std::to_string(signature.tag) + ", but rank " +
                         std::to_string(rank_) + " wants to receive " + (receive.exact ? "" : "at most ") +
                         elements(receive.post.signature.count, receive.post.signature.type) +
                         "; both must name the same type and length. The message waits for another receive.",
                     source));
  return false;
}

void Inbox::post(Message& receive) {
  for (auto message = kept_.begin(); message != kept_.end(); ++message) {
    if (!fits(receive, message->source, message->signature.tag)) continue;
    if (!accept(receive, message->source, message->signature, message->total)) return;
    std::byte* at = receive.post.data;
    for (std::size_t i = 0; i < message->pieces.size(); ++i) {
      // The last piece may still be arriving; what is missing of it is written to its place later.
      if (message->piece_bytes[i] > 0) std::memcpy(at, message->pieces[i].get(), message->piece_bytes[i]);
      at += message->piece_bytes[i];
    }
    if (message->complete) {
      end(receive, std::nullopt);
    } else {
      receive.arriving = true;
      arrival_at(message->source).receive = &receive;
    }
    kept_.erase(message);
    return;
  }
  receives_.push_back(&receive);
}

bool Inbox::take_back(const Message& receive) {
  const auto found = std::ranges::find(receives_, &receive);
  if (found == receives_.end()) return false;
  receives_.erase(found);
  return true;
}

void Inbox::add_piece(Kept& kept, std::uint32_t bytes) {
  kept.pieces.push_back(std::make_unique_for_overwrite<std::byte[]>(bytes));
  kept.piece_bytes.push_back(bytes);
}

void Inbox::detach(Message& receive) {
  Arrival& from = arrival_at(receive.post.peer);
  // In pieces as the frames came, so that place() finds the one that is arriving.
  Kept kept{receive.post.peer, from.head.signature, from.head.total, {}, {}, false};
  const std::byte* data = receive.post.data;
  for (std::uint64_t done = 0; done < from.head.offset;) {
    const auto part = static_cast<std::uint32_t>(std::min<std::uint64_t>(from.head.offset - done, 1U << 20));
    add_piece(kept, part);
    std::memcpy(kept.pieces.back().get(), data + done, part);
    done += part;
  }
  if (from.head.payload > 0) {
    // Of a frame that is arriving, what has not come yet is written to its place later.
    add_piece(kept, from.head.payload);
    std::memcpy(kept.pieces.back().get(), data + from.head.offset, from.head.payload);
  }
  kept_.push_back(std::move(kept));
  from.kept = std::prev(kept_.end());
  from.receive = nullptr;
  receive.arriving = false;
}

std::optional<Incoming> Inbox::find(int peer, int tag) const {
  for (const Kept& message : kept_) {
    if (message.signature.tag == tag && (peer == Transport::ANY || peer == message.source))
      return Incoming{message.source, message.signature.type, message.signature.count};
  }
  return std::nullopt;
}

void Inbox::begin_message(int peer, const tcp::FrameHeader& header) {
  Arrival& from = arrival_at(peer);
  if (header.total != header.signature.count * size_of(header.signature.type))
    throw tcp::broken_order_error(peer);
  from.received = 0;
  from.receive = nullptr;
  for (std::size_t i = 0; i < receives_.size();) {
    Message& receive = *receives_[i];
    if (!fits(receive, peer, header.signature.tag)) {
      ++i;
      continue;
    }
    receives_.erase(receives_.begin() + static_cast<std::ptrdiff_t>(i));
    if (!accept(receive, peer, header.signature, header.total)) continue;
    receive.arriving = true;
    from.receive = &receive;
    break;
  }
  if (from.receive == nullptr) {
    kept_.push_back({peer, header.signature, header.total, {}, {}, false});
    from.kept = std::prev(kept_.end());
  }
  from.arriving = true;
}

void Inbox::begin_frame(int peer, const tcp::FrameHeader& header) {
  Arrival& from = arrival_at(peer);
  const bool first = header.offset == 0;
  const bool continues = from.arriving && !first && header.offset == from.received &&
                         header.total == from.head.total && header.signature == from.head.signature;
  const bool fits_in = header.offset + header.payload <= header.total;
  if (header.source != peer || !fits_in || from.arriving == first || (!first && !continues))
    throw tcp::broken_order_error(peer);
  if (first) begin_message(peer, header);
  from.head = header;
  if (from.receive == nullptr) add_piece(*from.kept, header.payload);
}

std::byte* Inbox::place(int peer, std::uint32_t at) {
  Arrival& from = arrival_at(peer);
  return from.receive != nullptr ? from.receive->post.data + from.head.offset + at
                                 : from.kept->pieces.back().get() + at;
}

void Inbox::end_frame(int peer) {
  Arrival& from = arrival_at(peer);
  from.received += from.head.payload;
  if (from.received < from.head.total) return;
  from.arriving = false;
  if (from.receive != nullptr) {
    end(*from.receive, std::nullopt);
  } else {
    from.kept->complete = true;
  }
}

void Inbox::peer_gone(int peer, const Error& error) {
  Arrival& from = arrival_at(peer);
  if (from.arriving) {
    from.arriving = false;
    if (from.receive != nullptr) {
      end(*from.receive, error);
    } else {
      kept_.erase(from.kept);
    }
  }
  std::erase_if(receives_, [&](Message* receive) {
    if (receive->post.peer != peer) return false;
    end(*receive, error);
    return true;
  });
}

void Inbox::end_all(const Error& error, bool any_only) {
  std::erase_if(receives_, [&](Message* receive) {
    if (any_only && receive->post.peer != Transport::ANY) return false;
    end(*receive, error);
    return true;
  });
  if (any_only) return;
  for (Arrival& from : arrivals_) {
    if (from.arriving && from.receive != nullptr) end(*from.receive, error);
    from.arriving = false;
  }
}

}  // namespace lockstep

// How the ranks of a MeshTransport tell each other what they wait for.

#include <algorithm>
#include <limits>

#include "transport/tcp/mesh/mesh_transport.h"
#include "transport/tcp/wire/control_frame.h"

namespace lockstep::tcp {

void MeshTransport::inquire(const StallWatch& watch, bool wants_answer) {
  for (int peer = 0; peer < size(); ++peer) tell(peer, watch, wants_answer);
}

void MeshTransport::answer(const StallWatch& watch) {
  asked_ = false;
  for (int peer = 0; peer < size(); ++peer) {
    if (peer_at(peer).wants_answer) tell(peer, watch, false);
    peer_at(peer).wants_answer = false;
  }
}

void MeshTransport::tell(int peer, const StallWatch& watch, bool wants_answer) {
  Peer& other = peer_at(peer);
  if (other.streams.empty() || !other.streams.front().is_in_use()) return;
  const PendingOperation pending = watch.pending();
  constexpr double MOST = std::numeric_limits<std::uint32_t>::max();
  const auto milliseconds = static_cast<std::uint32_t>(std::min(pending.seconds * 1e3, MOST));
  other.streams.front().connection->queue_control(
      control_bytes(FrameKind::INQUIRY, rank_, encode_inquiry({pending.awaited, milliseconds, wants_answer}),
                    pending.signature));
  send_on({peer, 0});
}

void MeshTransport::take_inquiry(int peer, const Signature& signature, std::span<const std::byte> bytes) {
  Peer& from = peer_at(peer);
  const Inquiry inquiry = parse_inquiry(bytes, size());
  from.answer = PendingOperation{signature, inquiry.awaited, inquiry.milliseconds * 1e-3};
  from.answered_at = last_progress_;
  from.has_gone_on = false;
  from.wants_answer = from.wants_answer || inquiry.wants_answer;
  asked_ = asked_ || inquiry.wants_answer;
  if (signature.is_point_to_point()) return;
  from.inquiry = signature;
  compare_with(peer);
}

void MeshTransport::look_for_stall(StallWatch& watch) {
  const StallWatch::Due due = watch.look();
  if (due == StallWatch::Due::REPORT) watch.report(wait_reports());
  if (due != StallWatch::Due::CALL_ROLL) return;
  for (Peer& peer : peers_) peer.answer.reset();
  inquire(watch, true);
}

std::vector<WaitReport> MeshTransport::wait_reports() const {
  const auto now = Deadline::Clock::now();
  std::vector<WaitReport> entries(peers_.size());
  for (std::size_t rank = 0; rank < peers_.size(); ++rank) {
    const Peer& peer = peers_[rank];
    entries[rank].pending = peer.answer;
    entries[rank].has_left = peer.has_left();
    if (peer.last_seen_at == Deadline::Clock::time_point{}) continue;
    entries[rank].last_seen = peer.last_seen;
    entries[rank].last_seen_seconds = Deadline::Seconds(now - peer.last_seen_at).count();
  }
  return entries;
}

// Who is awaited may itself wait for a rank that is silent: then that one is at fault. What a rank said
// counts if it said it while this one waited and has not been heard of since. In a circle nobody is more at
// fault than who is awaited here.
std::vector<int> MeshTransport::awaited_by(const Post& post, const StallWatch& watch) const {
  const auto waited =
      std::chrono::duration_cast<Deadline::Clock::duration>(Deadline::Seconds(watch.pending().seconds));
  const auto began = Deadline::Clock::now() - waited - INQUIRY_AFTER;
  std::vector<int> chain{post.peer};
  while (chain.back() != ANY && chain.back() != rank_) {
    const Peer& peer = peer_at(chain.back());
    if (!peer.answer || peer.has_gone_on || peer.answered_at < began || peer.answer->awaited == ANY) {
      return chain;
    }
    if (std::ranges::find(chain, peer.answer->awaited) != chain.end()) break;
    chain.push_back(peer.answer->awaited);
  }
  return {post.peer};
}

// A rank that keeps the others waiting, and has itself waited for long, names whom it waits for; unless that
// is who blames it.
Error MeshTransport::pass_on_blame(const Error& error, const Post& post, const StallWatch& watch) const {
  if (error.code() != ErrorCode::TIMEOUT || error.rank() != rank_ ||
      error.numbering() != Error::Numbering::GROUP || post.peer == ANY)
    return error;
  const int awaited = awaited_by(post, watch).back();
  if (awaited == notice_source_) return error;
  return Error(error.code(),
               std::string(error.what()) + " Rank " + std::to_string(rank_) + " itself waited for rank " +
                   std::to_string(awaited) + " in " + post.signature.describe() + " by then.",
               awaited);
}

}  // namespace lockstep::tcp

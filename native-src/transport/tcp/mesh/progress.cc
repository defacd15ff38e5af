// The progress engine of MeshTransport: moves bytes on all connections while one operation is awaited.

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <thread>

#include "transport/tcp/mesh/mesh_transport.h"
#include "transport/tcp/wire/control_frame.h"

namespace lockstep::tcp {
namespace {

using std::chrono::milliseconds;

// While one peer is awaited, its socket is read directly; every so many reads all are looked at, so that the
// others make progress too. A read costs half of an epoll_wait() and a read.
constexpr int READS_PER_LOOK = 16;
// A rank whose operations all complete at once must still hear that the group has failed.
constexpr milliseconds LONGEST_DEAFNESS{1};

}  // namespace

void MeshTransport::drive(Post& post, const Deadline& deadline) {
  if (post.complete && Deadline::Clock::now() - last_progress_ < LONGEST_DEAFNESS) return;
  progress(milliseconds(0));
  if (post.complete) return;
  const Traffic::Wait waiting(traffic_, post.peer);
  const auto began = Deadline::Clock::now();
  if (last_wait_was_short_) spin(post);
  if (!post.complete) wait_long(post, deadline);
  // Waits resemble those before them: spinning before a long one only takes a core from the ranks that are
  // awaited.
  last_wait_was_short_ = Deadline::Clock::now() - began <= options_.spin;
}

// From here on sleeps and looks at clocks cost nothing that counts.
void MeshTransport::wait_long(Post& post, const Deadline& deadline) {
  StallWatch watch(rank_, post.signature, post.peer, deadline);
  bool asked = false;
  auto ask_at = Deadline::Clock::now() + INQUIRY_AFTER;
  while (!post.complete) {
    check_departed(post);
    if (deadline.cancelled()) throw cancelled_error(rank_, post.signature, deadline);
    if (deadline.passed()) throw timeout_error(rank_, awaited_by(post, watch), post.signature, deadline);
    if (!asked && Deadline::Clock::now() >= ask_at) {
      inquire(watch, false);
      asked = true;
    }
    look_for_stall(watch);
    try {
      progress(deadline.slice());
    } catch (const Error& error) {
      if (!asked) throw;
      throw pass_on_blame(error, post, watch);
    }
    if (asked_) answer(watch);
  }
}

void MeshTransport::spin(Post& post) {
  auto end = Deadline::Clock::now() + options_.spin;
  bool direct = !post.is_send && post.peer != ANY;
  for (int reads = 1; !post.complete && Deadline::Clock::now() < end; ++reads) {
    if (direct && reads % READS_PER_LOOK != 0) {
      receive_on({post.peer, post.stream});
    } else {
      progress(milliseconds(0));
    }
  }
}

void MeshTransport::progress(milliseconds patience) {
  std::array<epoll_event, 64> events;
  int ready = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                           static_cast<int>(patience.count()));
  if (ready < 0 && errno != EINTR) throw system_error("wait for the connections of the group", errno);
  last_progress_ = Deadline::Clock::now();
  for (int i = 0; i < ready; ++i) {
    int index = static_cast<int>(events[static_cast<std::size_t>(i)].data.u32);
    StreamId lane{index / streams_, index % streams_};
    std::uint32_t what = events[static_cast<std::size_t>(i)].events;
    if ((what & EPOLLOUT) != 0) send_on(lane);
    if ((what & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) receive_on(lane);
  }
}

void MeshTransport::send_on(StreamId lane) {
  Stream& to = stream_at(lane);
  if (!to.is_open()) return;
  // With an error of the socket there is nothing to wait for either: the end of the stream tells.
  bool awaits_room = !to.connection->flush() && to.connection->error() == 0;
  if (awaits_room == to.awaits_room) return;
  watch(lane, EPOLL_CTL_MOD, awaits_room ? EPOLLIN | EPOLLOUT : EPOLLIN);
  to.awaits_room = awaits_room;
}

void MeshTransport::receive_on(StreamId lane) {
  Stream& from = stream_at(lane);
  if (!from.is_open() || from.connection->receive(*this)) return;
  from.connection->cut();
  if (!from.has_ended) report_loss(lane);
}

// The lost rank may be one that lives, and that ended its group because another one died. Then a notice is on
// its way, from it or relayed, and rethrow() names the rank that died. Without a notice, a connection that
// was reset tells of a death rather than one that was closed.
void MeshTransport::report_loss(StreamId first) {
  int lost = first.peer;
  bool was_reset = stream_at(first).connection->error() == ECONNRESET;
  auto end = Deadline::Clock::now() + NOTICE_LIMIT;
  for (bool others = true; others && Deadline::Clock::now() < end;) {
    others = false;
    for (int peer = 0; peer < size(); ++peer) {
      for (Stream& other : peer_at(peer).streams) {
        if (!other.is_in_use()) continue;
        if (other.connection->receive(*this)) {
          others = true;
          continue;
        }
        other.connection->cut();
        if (!other.has_ended && !was_reset && other.connection->error() == ECONNRESET) {
          was_reset = true;
          lost = peer;
        }
      }
    }
    if (others) std::this_thread::sleep_for(LOOK_AGAIN);
  }
  throw peer_died_error(rank_, lost, doing_);
}

// @param source of the notice: where the failure began
void MeshTransport::rethrow(const AbortNotice& notice, int source) {
  // Relayed as it is: the origin may have had to cut its connection to some rank before it could tell it.
  notice_ = control_bytes(FrameKind::ABORT, source, encode_abort(notice));
  notice_source_ = source;
  throw aborted_error(source, Error(notice.code, notice.message, notice.rank, notice.numbering));
}

void MeshTransport::check_departed(const Post& post) const {
  bool gone;
  if (post.peer == ANY) {
    auto present = [](const Peer& peer) { return !peer.streams.empty() && !peer.has_left(); };
    gone = std::none_of(peers_.begin(), peers_.end(), present);
  } else {
    gone = peer_at(post.peer).has_left();
  }
  if (gone) throw peer_left_error(rank_, post.peer, post.signature);
}

}  // namespace lockstep::tcp

#include "transport/tcp/mesh/mesh_transport.h"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>

#include "core/data_type.h"
#include "transport/tcp/wire/wire.h"

namespace lockstep::tcp {
namespace {

// From this size of the whole vector on, a collective's messages take turns on the streams.
constexpr std::size_t SHARED_OUT_FROM = 256 << 10;

}  // namespace

MeshTransport::MeshTransport(Mesh mesh, const TcpOptions& options)
    : rank_(mesh.rank),
      group_(mesh.group),
      options_(options),
      streams_(mesh.streams),
      roster_(std::move(mesh.roster)),
      acceptor_(std::move(mesh.acceptor)),
      channels_(std::move(mesh.channels)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      peers_(roster_.size()),
      mailbox_(mesh.rank, static_cast<int>(roster_.size()), mesh.streams),
      traffic_(static_cast<int>(roster_.size())) {
  if (!epoll_) throw system_error("open an epoll set", errno);
  for (int peer = 0; peer < size(); ++peer) {
    if (peer == rank_) continue;
    peer_at(peer).streams.resize(static_cast<std::size_t>(streams_));
    for (StreamId lane{peer, 0}; lane.stream < streams_; ++lane.stream) {
      Descriptor& socket = mesh.connection(peer, lane.stream);
      keep_alive(socket.get(), options.timeout_seconds);
      stream_at(lane).connection =
          std::make_unique<Connection>(std::move(socket), rank_, lane, options.frame_payload_limit);
      watch(lane, EPOLL_CTL_ADD, EPOLLIN);
    }
  }
}

void MeshTransport::watch(StreamId lane, int operation, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u32 = static_cast<std::uint32_t>(lane.peer * streams_ + lane.stream);
  if (::epoll_ctl(epoll_.get(), operation, stream_at(lane).connection->fd(), &event) != 0) {
    throw system_error("watch the connection to rank " + std::to_string(lane.peer), errno, lane.peer);
  }
}

// Both sides can tell the stream of a collective's message, so that whoever waits reads the right one. Small
// messages stay on the first, whose congestion window they keep open. SEND messages do too: their order
// decides which receive gets which.
int MeshTransport::stream_for(const Post& post) const {
  if (post.signature.is_point_to_point()) return 0;
  const std::size_t vector_bytes =
      std::max<std::size_t>(post.bytes, post.signature.count * size_of(post.signature.type));
  return vector_bytes < SHARED_OUT_FROM
             ? 0
             : static_cast<int>(post.number % static_cast<std::uint32_t>(streams_));
}

void MeshTransport::check_peer(int peer) const {
  if (peer >= 0 && peer < size() && peer != rank_) return;
  throw Error(ErrorCode::INVALID_ARGUMENT, "Rank " + std::to_string(rank_) + " of " + std::to_string(size()) +
                                               " cannot exchange messages with rank " + std::to_string(peer) +
                                               ".");
}

// Ranks that disagree in such a way that both wait (each takes the other for the root) find that out by
// inquiries.
void MeshTransport::enter(const Signature& signature) {
  if (signature.is_point_to_point() || signature == current_) return;
  current_ = signature;
  mailbox_.enter(signature);
  for (int peer = 0; peer < size(); ++peer) compare_with(peer);
}

void MeshTransport::compare_with(int peer) const {
  const Signature& theirs = peer_at(peer).inquiry;
  if (theirs.sequence == current_.sequence && theirs != current_ && theirs.sequence > 0) {
    throw mismatch_error(rank_, current_, peer, theirs);
  }
}

Post& MeshTransport::new_post(int peer, const Signature& signature, const void* data, std::size_t bytes) {
  Post& post = posts_[++last_ticket_];
  post.peer = peer;
  post.signature = signature;
  post.data = static_cast<std::byte*>(const_cast<void*>(data));
  post.bytes = bytes;
  return post;
}

Transport::Ticket MeshTransport::post_send(int peer, const Signature& signature, const void* data,
                                           std::size_t bytes) {
  check_peer(peer);
  Post& post = new_post(peer, signature, data, bytes);
  post.is_send = true;
  traffic_.sent(peer, bytes);
  if (failure_ || closed_) return last_ticket_;
  try {
    enter(signature);
    Peer& to = peer_at(peer);
    if (!signature.is_point_to_point()) post.number = to.sent++;
    post.stream = stream_for(post);
    if (!to.has_left()) {
      const StreamId lane{peer, post.stream};
      stream_at(lane).connection->queue(post);
      send_on(lane);
    }
  } catch (const Error& error) {
    failure_ = error;  // wait() tells the peers and throws it
  }
  return last_ticket_;
}

Transport::Ticket MeshTransport::post_receive(int peer, const Signature& signature, void* data,
                                              std::size_t bytes) {
  if (peer != ANY || !signature.is_point_to_point()) check_peer(peer);
  Post& post = new_post(peer, signature, data, bytes);
  if (failure_ || closed_) return last_ticket_;
  try {
    enter(signature);
    mailbox_.post(post);
    post.stream = stream_for(post);
  } catch (const Error& error) {
    failure_ = error;  // wait() tells the peers and throws it
  }
  return last_ticket_;
}

int MeshTransport::wait(Ticket ticket, const Deadline& deadline) {
  if (closed_) throw Error(ErrorCode::CLOSED, "The group has been closed.");
  auto found = posts_.find(ticket);
  if (found == posts_.end()) {
    throw Error(ErrorCode::INVALID_ARGUMENT,
                "Ticket " + std::to_string(ticket) + " names no pending message.");
  }
  Post& post = found->second;
  doing_ = post.signature;
  try {
    if (failure_) throw Error(*failure_);
    drive(post, deadline);
  } catch (const Error& error) {
    fail(error, true);
    throw;
  } catch (const std::exception& error) {
    Error wrapped(
        ErrorCode::SYSTEM,
        "Rank " + std::to_string(rank_) + " failed in " + doing_.describe() + ": " + error.what() + ".",
        rank_);
    fail(wrapped, true);
    throw wrapped;
  }
  int peer = post.peer;
  if (!post.is_send) traffic_.received(peer, post.bytes);
  posts_.erase(found);
  return peer;
}

void MeshTransport::begin_frame(StreamId lane, const FrameHeader& header) {
  Stream& from = stream_at(lane);
  if (from.has_ended) throw broken_order_error(lane.peer);
  from.arriving = header.kind;
  if (header.kind == FrameKind::DATA) {
    mailbox_.begin_frame(lane, header);
  } else {
    from.control.resize(header.payload);
  }
}

std::byte* MeshTransport::place(StreamId lane, std::uint32_t at) {
  Stream& from = stream_at(lane);
  return from.arriving == FrameKind::DATA ? mailbox_.place(lane, at) : from.control.data() + at;
}

void MeshTransport::end_frame(StreamId lane, const FrameHeader& header) {
  Stream& from = stream_at(lane);
  if (header.kind == FrameKind::DATA) {
    mailbox_.end_frame(lane);
    peer_at(lane.peer).last_seen = header.signature;
    peer_at(lane.peer).last_seen_at = last_progress_;
    peer_at(lane.peer).has_gone_on = true;
  } else if (header.kind == FrameKind::GOODBYE) {
    from.has_ended = true;
  } else if (header.kind == FrameKind::INQUIRY) {
    take_inquiry(lane.peer, header.signature, from.control);
  } else {
    auto notice = header.kind == FrameKind::ABORT ? parse_abort(from.control, size()) : std::nullopt;
    if (notice && header.source < size()) rethrow(*notice, header.source);
    throw Error(ErrorCode::PEER_FAILED,
                "Rank " + std::to_string(lane.peer) +
                    " sent a malformed notice; its process or the connection is broken.",
                lane.peer);
  }
}

std::unique_ptr<Wire> MeshTransport::take_wire() {
  if (channels_.empty()) return nullptr;
  for (const Descriptor& channel : channels_) {
    if (channel) keep_alive(channel.get(), options_.timeout_seconds);
  }
  return std::make_unique<TcpWire>(rank_, std::move(channels_),
                                   TcpWire::Origin{group_, roster_, acceptor_, options_});
}

std::uint64_t MeshTransport::subgroup_id(std::span<const int> members) const {
  std::vector<std::byte> bytes(16 + 4 * members.size());
  WireWriter writer(bytes.data());
  writer.put(group_).put(splits_);
  for (int member : members) writer.put(static_cast<std::int32_t>(member));
  std::uint64_t id = WireReader(sha256(bytes).data()).get<std::uint64_t>();
  return id == REPORT_GROUP ? 1 : id;
}

// Members know each other's addresses from the roster, and their listeners are open, so that the new mesh
// needs nothing from the parent but its count of splits, which is the same on all ranks.
std::unique_ptr<Transport> MeshTransport::split(std::span<const int> members, const Deadline& deadline) {
  if (closed_) throw Error(ErrorCode::CLOSED, "The group has been closed.");
  ++splits_;
  if (members.empty()) return nullptr;
  doing_ = Signature{.operation = Operation::SPLIT, .sequence = splits_};
  Mesh mesh(-1, 0, streams_);
  mesh.group = subgroup_id(members);
  mesh.acceptor = acceptor_;
  for (int member : members) {
    if (member == rank_) mesh.rank = mesh.size();
    if (member != rank_) check_peer(member);
    mesh.roster.push_back(roster_[static_cast<std::size_t>(member)]);
  }
  if (mesh.rank < 0) {
    throw Error(ErrorCode::INVALID_ARGUMENT,
                "Rank " + std::to_string(rank_) + " cannot form a sub-group to which it does not belong.");
  }
  mesh.connections.resize(mesh.roster.size() * static_cast<std::size_t>(streams_));
  mesh.channels.resize(mesh.roster.size());
  bool is_of_parent = true;
  try {
    if (failure_) throw Error(*failure_);
    is_of_parent = false;
    const auto meanwhile = [&] {
      is_of_parent = true;
      progress(std::chrono::milliseconds(0));
      is_of_parent = false;
    };
    if (mesh.size() > 1) connect_members(mesh, deadline, meanwhile);
  } catch (const Error& error) {
    Error cause = is_of_parent ? error : cause_of_split_failure(error, members);
    // Members that wait for a reply hear the cause over the parent before they are refused.
    fail(cause, true);
    acceptor_->finish(mesh.group);
    throw cause;
  }
  return std::make_unique<MeshTransport>(std::move(mesh), options_);
}

// Who refuses a member has failed, and says why over the parent.
Error MeshTransport::cause_of_split_failure(const Error& error, std::span<const int> members) {
  if (error.code() != ErrorCode::RENDEZVOUS) return renumbered(error, members);
  auto end = Deadline::Clock::now() + NOTICE_LIMIT;
  try {
    while (Deadline::Clock::now() < end) progress(LOOK_AGAIN);
  } catch (const Error& cause) {
    return cause;
  }
  return renumbered(error, members);
}

}  // namespace lockstep::tcp

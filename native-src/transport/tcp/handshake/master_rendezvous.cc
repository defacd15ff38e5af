#include "transport/tcp/handshake/master_rendezvous.h"

#include "core/seconds.h"
#include "transport/tcp/handshake/stream.h"
#include "transport/tcp/wire/control_frame.h"
#include "transport/tcp/wire/forming_notice.h"

namespace lockstep::tcp {
namespace {

// Often enough that a rank that gives up knows who was missing, rarely enough to cost nothing with many
// ranks.
constexpr std::chrono::milliseconds ROSTER_INTERVAL{250};

}  // namespace

std::string name_ranks(const std::vector<int>& ranks) {
  constexpr std::size_t MOST = 12;
  std::string text = ranks.size() == 1 ? "rank " : "ranks ";
  for (std::size_t i = 0; i < ranks.size() && i < MOST; ++i) {
    if (i > 0) text += i + 1 == ranks.size() ? " and " : ", ";
    text += std::to_string(ranks[i]);
  }
  if (ranks.size() > MOST) text += " and " + std::to_string(ranks.size() - MOST) + " more";
  return text;
}

MasterRendezvous::MasterRendezvous(Mesh& mesh, std::string where, const Deadline& deadline)
    : mesh_(mesh), where_(std::move(where)), deadline_(deadline), came_from_(mesh.roster.size()) {
  roster_.entries.resize(mesh.roster.size());
}

std::vector<int> MasterRendezvous::missing() const {
  std::vector<int> ranks;
  for (int rank = 1; rank < mesh_.size(); ++rank) {
    if (!mesh_.connection(rank)) ranks.push_back(rank);
  }
  return ranks;
}

Error MasterRendezvous::incomplete() const {
  // A rank that has come and given up a moment before rank 0 is not the one to look for.
  std::vector<int> never_came;
  for (int rank : missing()) {
    if (came_from_[static_cast<std::size_t>(rank)].empty()) never_came.push_back(rank);
  }
  std::vector<int> absent = never_came.empty() ? missing() : never_came;
  return Error(ErrorCode::TIMEOUT,
               "The group was not complete after " + seconds_text(deadline_.timeout_seconds()) + ": " +
                   name_ranks(absent) + " of " + std::to_string(mesh_.size()) +
                   " did not report to rank 0 at " + where_ +
                   ". Check that every rank runs, and that MASTER_ADDR is an address of rank 0's host that " +
                   "the others reach.",
               absent.front());
}

void MasterRendezvous::run() {
  FormingNotice notice;
  while (!missing().empty()) {
    notice.tick([&] {
      return "rank 0 at " + where_ + " waits for " + name_ranks(missing()) + " of " +
             std::to_string(mesh_.size()) + ".";
    });
    if (deadline_.cancelled()) fail(interrupted_error(0, "the forming of the group"));
    if (auto arrival = mesh_.acceptor->take(REPORT_GROUP, deadline_.slice())) receive(std::move(*arrival));
    forget_the_gone();
    if (deadline_.passed() && !missing().empty()) fail(incomplete());
    if (changed_ && Deadline::Clock::now() - roster_sent_ > ROSTER_INTERVAL) send_roster();
  }
  mesh_.group = random_group();
  roster_.group = mesh_.group;
  send_roster();
}

void MasterRendezvous::receive(Acceptor::Arrival arrival) {
  const Hello& hello = arrival.hello;
  if (hello.world_size != mesh_.size()) {
    mesh_.acceptor->refuse(arrival, Verdict::WRONG_WORLD_SIZE, mesh_.size());
    fail(Error(ErrorCode::RENDEZVOUS,
               "Rank " + std::to_string(hello.rank) + " (from " + arrival.from + ") believes in a world of " +
                   std::to_string(hello.world_size) + " ranks, rank 0 in one of " +
                   std::to_string(mesh_.size()) + "; give every rank the same WORLD_SIZE.",
               hello.rank));
  }
  if (hello.target != 0) {
    mesh_.acceptor->refuse(arrival, Verdict::BAD_RANK, mesh_.size());
    return;
  }
  if (hello.streams != mesh_.streams) {
    mesh_.acceptor->refuse(arrival, Verdict::WRONG_STREAMS, mesh_.size());
    fail(Error(ErrorCode::RENDEZVOUS,
               "Rank " + std::to_string(hello.rank) + " (from " + arrival.from + ") opens " +
                   std::to_string(hello.streams) + " streams to each rank, rank 0 " +
                   std::to_string(mesh_.streams) + "; give every rank the same.",
               hello.rank));
  }
  auto rank = static_cast<std::size_t>(hello.rank);
  forget_the_gone();
  if (mesh_.connection(hello.rank)) {
    mesh_.acceptor->refuse(arrival, Verdict::DUPLICATE_RANK, mesh_.size());
    fail(Error(ErrorCode::RENDEZVOUS,
               "Two processes report as rank " + std::to_string(hello.rank) + ", from " + came_from_[rank] +
                   " and " + arrival.from + "; give every process a RANK of its own.",
               hello.rank));
  }
  mesh_.acceptor->accept(arrival, mesh_.size());
  // The address is the one that rank 0 sees; a claimed one could be of another network.
  mesh_.roster[rank] = Endpoint::remote(arrival.socket.get()).with_port(hello.port);
  roster_.entries[rank] = {mesh_.roster[rank].host(), hello.port};
  came_from_[rank] = arrival.from;
  mesh_.connection(hello.rank) = std::move(arrival.socket);
  changed_ = true;
}

void MasterRendezvous::forget_the_gone() {
  for (int rank = 1; rank < mesh_.size(); ++rank) {
    // A rank that was started anew, or lost its connection, reports again.
    if (mesh_.connection(rank) && has_ended(mesh_.connection(rank).get())) {
      mesh_.connection(rank).reset();
      roster_.entries[static_cast<std::size_t>(rank)] = {};
    }
  }
}

void MasterRendezvous::send_roster() {
  std::vector<std::byte> payload = encode_roster(roster_);
  for (Descriptor& connection : mesh_.connections) {
    // Who has gone meanwhile is noticed by the next look or, after the last roster, by the transport.
    if (connection) write_control(connection.get(), FrameKind::ROSTER, 0, payload, deadline_);
  }
  changed_ = false;
  roster_sent_ = Deadline::Clock::now();
}

void MasterRendezvous::fail(const Error& error) {
  std::vector<std::byte> payload = encode_abort({error.code(), error.rank(), error.what()});
  for (Descriptor& connection : mesh_.connections) {
    if (connection) write_control(connection.get(), FrameKind::ABORT, 0, payload, deadline_);
  }
  throw error;
}

}  // namespace lockstep::tcp

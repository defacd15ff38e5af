#include "transport/tcp/handshake/rendezvous.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <functional>
#include <thread>

#include "core/log.h"
#include "core/seconds.h"
#include "transport/tcp/handshake/connect.h"
#include "transport/tcp/handshake/master_rendezvous.h"
#include "transport/tcp/wire/control_frame.h"
#include "transport/tcp/wire/forming_notice.h"

namespace lockstep::tcp {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds FIRST_PAUSE{5};
constexpr milliseconds LONGEST_PAUSE{500};
// One of several addresses of the master may lead nowhere; then the next gets its turn.
constexpr double CONNECT_LIMIT_SECONDS = 5;
// A member that breaks off handshakes is dead, unless a flood of strangers crowds them out (PENDING_LIMIT).
constexpr int DIAL_ATTEMPTS = 10;

void pause(milliseconds& length, const Deadline& deadline) {
  throw_if_cancelled(deadline);
  std::this_thread::sleep_for(std::min(length, deadline.slice()));
  length = std::min(length * 3 / 2, LONGEST_PAUSE);
}

std::string describe_rank(int rank, const Endpoint& endpoint) {
  return "rank " + std::to_string(rank) + " at " + endpoint.text();
}

Mesh form_as_master(const TcpOptions& options, const Deadline& deadline) {
  const std::shared_ptr<TcpListener> listener =
      options.listener != nullptr
          ? options.listener
          : std::make_shared<TcpListener>(options.master_address, options.master_port);
  if (options.token.empty() && !listener->is_loopback_only()) {
    log_notice(LogLevel::WARN, "Without a token, whoever reaches " + listener->where() +
                                   " can join this group; set LOCKSTEP_TOKEN to a secret of the job.");
  }
  Mesh mesh(0, options.world_size, options.streams);
  mesh.acceptor = std::make_shared<Acceptor>(listener->take(), 0, options.token, options.handshake_limit);
  MasterRendezvous(mesh, listener->where(), deadline).run();
  mesh.acceptor->finish(REPORT_GROUP);
  connect_members(mesh, deadline, JUST_WAIT);
  return mesh;
}

// One attempt at one address. @return whether rank 0 has let this rank in
bool report_once(Mesh& mesh, const TcpOptions& options, const Endpoint& master, const Deadline& deadline,
                 std::string& obstacle) {
  static const std::atomic<bool> never_cancelled{false};
  double left = std::chrono::duration<double>(deadline.end() - Deadline::Clock::now()).count();
  Deadline attempt(std::chrono::duration<double>(std::min(left, CONNECT_LIMIT_SECONDS)), never_cancelled);
  auto socket = connect_to(master, attempt);
  if (!socket) {
    obstacle = std::strerror(errno);
    return false;
  }
  std::vector<Descriptor> listeners;
  listeners.push_back(listen_on(Endpoint::local(socket->get()).with_port(0)));
  Hello hello;
  hello.port = Endpoint::local(listeners.front().get()).port();
  hello.rank = options.rank;
  hello.world_size = options.world_size;
  hello.streams = static_cast<std::uint16_t>(options.streams);
  auto acceptor =
      std::make_shared<Acceptor>(std::move(listeners), options.rank, options.token, options.handshake_limit);
  Step step = shake_hands(*socket, hello, options.token, describe_rank(0, master), deadline);
  if (step != Step::DONE) {
    obstacle = step == Step::ENDED ? "the connection was closed during the handshake"
                                   : "the connection was made, but nothing answered";
    return false;
  }
  mesh.roster[0] = master;
  mesh.connection(0) = std::move(*socket);
  mesh.acceptor = std::move(acceptor);
  return true;
}

// A name may appear only when rank 0's host does (a pod in Kubernetes), so failing to resolve is an obstacle
// like others.
std::vector<Endpoint> resolve_master(const TcpOptions& options, std::string& obstacle) {
  try {
    return resolve(options.master_address, static_cast<std::uint16_t>(options.master_port));
  } catch (const Error& error) {
    obstacle = error.what();
    if (obstacle.ends_with('.')) obstacle.pop_back();  // It is put into a sentence.
    return {};
  }
}

void report(Mesh& mesh, const TcpOptions& options, const Deadline& deadline) {
  milliseconds length = FIRST_PAUSE;
  std::string obstacle;
  FormingNotice notice;
  for (;;) {
    notice.tick([&] {
      return "rank " + std::to_string(options.rank) + " does not reach rank 0 at " + options.master_address +
             ":" + std::to_string(options.master_port) + ": " + obstacle + ".";
    });
    for (const Endpoint& master : resolve_master(options, obstacle)) {
      if (report_once(mesh, options, master, deadline, obstacle)) return;
    }
    if (deadline.passed()) {
      throw Error(ErrorCode::TIMEOUT,
                  "Rank " + std::to_string(options.rank) + " could not reach rank 0 at " +
                      options.master_address + ":" + std::to_string(options.master_port) + " in " +
                      seconds_text(options.timeout_seconds) + ": " + obstacle +
                      ". Check that rank 0 runs and that MASTER_ADDR and MASTER_PORT are its.",
                  0);
    }
    pause(length, deadline);
  }
}

[[noreturn]] void fail_incomplete(const Roster& seen, const TcpOptions& options) {
  std::vector<int> missing;
  for (int rank = 1; rank < static_cast<int>(seen.entries.size()); ++rank) {
    if (rank != options.rank && seen.entries[static_cast<std::size_t>(rank)].address.empty())
      missing.push_back(rank);
  }
  std::string who = missing.empty() ? "rank 0 has not said which ranks are missing"
                                    : name_ranks(missing) + " had not reported";
  throw Error(ErrorCode::TIMEOUT,
              "The group of " + std::to_string(options.world_size) + " was not complete after " +
                  seconds_text(options.timeout_seconds) + ": " + who + ". Check that every rank runs.",
              missing.empty() ? 0 : missing.front());
}

Error malformed_roster_error() {
  return Error(ErrorCode::RENDEZVOUS, "Rank 0 sent a malformed list of addresses.", 0);
}

// Waits for the complete roster on the connection to rank 0.
void await_roster(Mesh& mesh, const TcpOptions& options, const Deadline& deadline) {
  Roster roster;
  while (roster.group == 0) {
    ControlFrame frame;
    Step step = read_control(mesh.connection(0).get(), frame, deadline);
    if (step == Step::TIMED_OUT) fail_incomplete(roster, options);
    if (step == Step::ENDED) {
      throw Error(ErrorCode::PEER_FAILED,
                  "Rank 0 closed its connection while the group was being formed; look at its output.", 0);
    }
    if (frame.header.kind == FrameKind::ABORT) {
      auto notice = parse_abort(frame.payload, options.world_size)
                        .value_or(AbortNotice{ErrorCode::RENDEZVOUS, 0, "unknown reason"});
      throw Error(code_for_peers(notice.code), "Rank 0 gave up forming the group: " + notice.message,
                  notice.rank);
    }
    auto parsed = frame.header.kind == FrameKind::ROSTER ? parse_roster(frame.payload, options.world_size)
                                                         : std::nullopt;
    if (!parsed) throw malformed_roster_error();
    roster = std::move(*parsed);
  }
  mesh.group = roster.group;
  for (std::size_t rank = 1; rank < mesh.roster.size(); ++rank) {
    // The scope of a link-local address is this host's interface to rank 0, whatever rank 0 calls its own.
    const std::string& address = roster.entries[rank].address;
    auto endpoint = Endpoint::numeric(address.substr(0, address.find('%')), roster.entries[rank].port);
    if (!endpoint) throw malformed_roster_error();
    mesh.roster[rank] = endpoint->with_scope_of(Endpoint::local(mesh.connection(0).get()));
  }
}

Descriptor dial_member(const Mesh& mesh, int peer, int stream, const Deadline& deadline,
                       const WhileWaiting& while_waiting) {
  const Endpoint& endpoint = mesh.roster[static_cast<std::size_t>(peer)];
  std::string where = describe_rank(peer, endpoint);
  milliseconds length = FIRST_PAUSE;
  for (int attempt = 0; attempt < DIAL_ATTEMPTS && !deadline.passed(); ++attempt) {
    if (attempt > 0) pause(length, deadline);
    while_waiting();
    auto socket = connect_to(endpoint, deadline, while_waiting);
    if (!socket) {
      // The fault is here: to call the peer dead would send its reader to the wrong host.
      const int number = errno;
      if (number == EMFILE || number == ENFILE) {
        throw system_error("connect to " + where + " (raise ulimit -n: each pair of ranks takes " +
                               std::to_string(mesh.streams + 1) + " descriptors)",
                           number, mesh.rank);
      }
      continue;
    }
    Hello hello;
    hello.group = mesh.group;
    hello.rank = mesh.rank;
    hello.target = peer;
    hello.world_size = mesh.size();
    hello.stream = static_cast<std::uint16_t>(stream);
    hello.streams = static_cast<std::uint16_t>(mesh.streams);
    Step step = shake_hands(*socket, hello, mesh.acceptor->token(), where, deadline, while_waiting);
    if (step == Step::DONE) return std::move(*socket);
  }
  std::string task = "Rank " + std::to_string(mesh.rank) + " could not connect to " + where;
  if (deadline.passed()) {
    throw Error(ErrorCode::TIMEOUT, task + " in " + seconds_text(deadline.timeout_seconds()) + ".", peer);
  }
  throw Error(ErrorCode::PEER_FAILED, task + ", which has died or closed its port; look at its output.",
              peer);
}

Verdict judge_member(const Mesh& mesh, const Hello& hello) {
  if (hello.world_size != mesh.size()) return Verdict::WRONG_WORLD_SIZE;
  if (hello.target != mesh.rank || hello.rank <= mesh.rank) return Verdict::BAD_RANK;
  if (hello.streams != mesh.streams) return Verdict::WRONG_STREAMS;
  if (mesh.connection(hello.rank, hello.stream)) return Verdict::DUPLICATE_RANK;
  return Verdict::ACCEPTED;
}

bool is_connected(const Mesh& mesh, int peer) {
  for (int stream = 0; stream <= mesh.streams; ++stream) {
    if (!mesh.connection(peer, stream)) return false;
  }
  return true;
}

void await_members(Mesh& mesh, const Deadline& deadline, const WhileWaiting& while_waiting) {
  for (;;) {
    std::vector<int> missing;
    for (int peer = mesh.rank + 1; peer < mesh.size(); ++peer) {
      if (!is_connected(mesh, peer)) missing.push_back(peer);
    }
    if (missing.empty()) return;
    throw_if_cancelled(deadline);
    while_waiting();
    if (auto arrival = mesh.acceptor->take(mesh.group, deadline.slice())) {
      Verdict verdict = judge_member(mesh, arrival->hello);
      if (verdict == Verdict::ACCEPTED) {
        mesh.acceptor->accept(*arrival, mesh.size());
        mesh.connection(arrival->hello.rank, arrival->hello.stream) = std::move(arrival->socket);
      } else {
        mesh.acceptor->refuse(*arrival, verdict, mesh.size());
      }
    } else if (deadline.passed()) {
      throw Error(ErrorCode::TIMEOUT,
                  "Rank " + std::to_string(mesh.rank) + " waited " +
                      seconds_text(deadline.timeout_seconds()) + " in vain for " + name_ranks(missing) +
                      " to connect.",
                  missing.front());
    }
  }
}

}  // namespace

void connect_members(Mesh& mesh, const Deadline& deadline, const WhileWaiting& while_waiting) {
  for (int peer = 0; peer < mesh.rank; ++peer) {
    for (int stream = 0; stream <= mesh.streams; ++stream) {
      Descriptor& connection = mesh.connection(peer, stream);
      if (!connection) connection = dial_member(mesh, peer, stream, deadline, while_waiting);
    }
  }
  await_members(mesh, deadline, while_waiting);
  mesh.acceptor->finish(mesh.group);
}

Mesh form_group(const TcpOptions& options, const Deadline& deadline) {
  if (options.rank == 0) return form_as_master(options, deadline);
  Mesh mesh(options.rank, options.world_size, options.streams);
  report(mesh, options, deadline);
  await_roster(mesh, options, deadline);
  connect_members(mesh, deadline, JUST_WAIT);
  return mesh;
}

}  // namespace lockstep::tcp

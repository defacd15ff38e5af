#include "transport/tcp/handshake/connect.h"

#include <array>
#include <cerrno>

namespace lockstep::tcp {
namespace {

Error refused(const std::string& where, const std::string& reason) {
  return Error(ErrorCode::RENDEZVOUS, "Cannot join the group: " + reason + " (asked " + where + ").");
}

std::string version_conflict(std::uint16_t theirs) {
  return "the other side speaks version " + std::to_string(theirs) +
         " of the protocol, this process version " + std::to_string(PROTOCOL_VERSION) +
         "; run the same Lockstep everywhere";
}

std::string explain(const Reply& reply, const Hello& hello) {
  std::string rank = "rank " + std::to_string(hello.rank);
  switch (reply.verdict) {
    case Verdict::WRONG_TOKEN:
      return "the job's tokens differ; give every rank the same LOCKSTEP_TOKEN";
    case Verdict::WRONG_WORLD_SIZE:
      return "this process believes in a world of " + std::to_string(hello.world_size) +
             " ranks, the other side of " + std::to_string(reply.world_size) +
             "; give every rank the same WORLD_SIZE";
    case Verdict::WRONG_STREAMS:
      return "this process opens " + std::to_string(hello.streams) +
             " streams to each rank, the other side another number; give every rank the same";
    case Verdict::DUPLICATE_RANK:
      return "another process has come as " + rank + " already; give every process a RANK of its own";
    case Verdict::NOT_EXPECTED:
      return "the group is complete, or is not to be joined there, and " + rank + " is not awaited";
    default:
      return rank + " is refused, because " + describe(reply.verdict);
  }
}

}  // namespace

std::optional<Descriptor> connect_to(const Endpoint& endpoint, const Deadline& deadline,
                                     const WhileWaiting& while_waiting) {
  Descriptor socket = open_stream(endpoint.family());
  if (!socket) return std::nullopt;
  if (Step step = connect_stream(socket.get(), endpoint, deadline, while_waiting); step != Step::DONE) {
    if (step == Step::TIMED_OUT) errno = ETIMEDOUT;
    return std::nullopt;
  }
  // While nobody listens on a port of the ephemeral range, the system may choose that very port for this
  // side, and the socket is then connected to itself (RFC 9293, section 3.5, simultaneous open).
  if (Endpoint::local(socket.get()) == endpoint) {
    errno = ECONNREFUSED;
    return std::nullopt;
  }
  return socket;
}

Step shake_hands(const Descriptor& socket, Hello& hello, const std::string& token, const std::string& where,
                 const Deadline& deadline, const WhileWaiting& while_waiting) {
  std::array<std::byte, CHALLENGE_BYTES> challenge_bytes;
  Step step = read_exactly(socket.get(), challenge_bytes, deadline, while_waiting);
  if (step != Step::DONE) return step;
  auto challenge = parse_challenge(challenge_bytes);
  if (!challenge) throw refused(where, "what listens there is no Lockstep; choose another MASTER_PORT");

  // Another version gets the hello as well, so that it can log which version came.
  hello.nonce = random_nonce();
  step = write_all(socket.get(), encode_hello(hello, challenge->nonce, token), deadline);
  if (step != Step::DONE) return step;
  if (challenge->version != PROTOCOL_VERSION) throw refused(where, version_conflict(challenge->version));

  std::array<std::byte, REPLY_BYTES> reply_bytes;
  step = read_exactly(socket.get(), reply_bytes, deadline, while_waiting);
  if (step != Step::DONE) return step;
  auto reply = parse_reply(reply_bytes);
  if (!reply) throw refused(where, "its answer is malformed");
  if (reply->version != PROTOCOL_VERSION) throw refused(where, version_conflict(reply->version));
  // Who refuses a token proves nothing; whatever else is said is believed only of who knows the token.
  const bool is_proved = authentic_reply(reply_bytes, hello, challenge->nonce, token);
  if (is_proved || reply->verdict == Verdict::WRONG_TOKEN) {
    if (reply->verdict != Verdict::ACCEPTED) throw refused(where, explain(*reply, hello));
  } else {
    throw refused(where,
                  "the other side does not have this job's token; give every rank the same LOCKSTEP_TOKEN");
  }
  return Step::DONE;
}

}  // namespace lockstep::tcp

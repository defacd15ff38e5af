#include "transport/tcp/handshake/acceptor.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/interruption.h"
#include "core/log.h"

namespace lockstep::tcp {
namespace {

// Enough to see what comes, few enough that nobody can fill a disk.
constexpr int FIRST_REFUSALS = 20;
constexpr std::chrono::seconds REFUSALS_INTERVAL{60};

// Handshakes of ranks take milliseconds. When this many are pending, most are silent strangers, and the
// oldest goes.
constexpr std::size_t PENDING_LIMIT = 256;
// Ranks that know the token and ask for a group that this rank has not begun to form yet.
constexpr std::size_t ARRIVAL_LIMIT = 4096;
// Sub-groups whose late members are still told so; a program may split without end.
constexpr std::size_t FINISHED_LIMIT = 1024;
// Pause after accept() failed for want of descriptors or memory: the listener would stay readable and the
// loop spin.
constexpr std::chrono::milliseconds ACCEPT_PAUSE{100};

}  // namespace

Acceptor::Acceptor(std::vector<Descriptor> listeners, int rank, std::string token,
                   std::chrono::milliseconds handshake_limit)
    : listeners_(std::move(listeners)),
      rank_(rank),
      token_(std::move(token)),
      handshake_limit_(handshake_limit),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!wake_) throw system_error("open an eventfd", errno);
  if (rank_ != 0) finished_.insert(REPORT_GROUP);
  try {
    thread_ = std::thread([this] {
      never_interrupt_this_thread();
      run();
    });
  } catch (const std::system_error& error) {
    throw system_error("start the thread that accepts connections", error.code().value());
  }
}

Acceptor::~Acceptor() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  std::uint64_t one = 1;
  // Cannot fail: the counter is far from its limit and the descriptor is ours.
  [[maybe_unused]] ssize_t written = ::write(wake_.get(), &one, sizeof one);
  thread_.join();
}

std::optional<Acceptor::Arrival> Acceptor::take(std::uint64_t group, std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  auto wanted = arrivals_.end();
  auto found = [&] {
    std::erase_if(arrivals_, [](const Arrival& arrival) { return has_ended(arrival.socket.get()); });
    wanted = std::find_if(arrivals_.begin(), arrivals_.end(),
                          [&](const Arrival& arrival) { return arrival.hello.group == group; });
    return wanted != arrivals_.end();
  };
  if (!arrived_.wait_for(lock, patience, found)) return std::nullopt;
  Arrival arrival = std::move(*wanted);
  arrivals_.erase(wanted);
  return arrival;
}

void Acceptor::reply(Arrival& arrival, Verdict verdict, int world_size) {
  auto bytes = encode_reply({verdict, PROTOCOL_VERSION, world_size}, arrival.hello, arrival.nonce, token_);
  // Whoever has not proved the token gets no proof, from which a weak one could be guessed at leisure.
  const bool is_stranger = verdict == Verdict::WRONG_TOKEN || verdict == Verdict::WRONG_VERSION;
  if (is_stranger) std::fill_n(bytes.end() - sizeof(Digest), sizeof(Digest), std::byte{0});
  // The first and only bytes after the challenge always fit into the socket's buffer. When the other side has
  // gone, whoever uses the connection next finds out.
  [[maybe_unused]] ssize_t sent =
      ::send(arrival.socket.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void Acceptor::accept(Arrival& arrival, int world_size) { reply(arrival, Verdict::ACCEPTED, world_size); }

void Acceptor::refuse(Arrival& arrival, Verdict verdict, int world_size) {
  reply(arrival, verdict, world_size);
  log_refusal(arrival.from, describe(verdict) + " (it came as rank " + std::to_string(arrival.hello.rank) +
                                " of " + std::to_string(arrival.hello.world_size) + ")");
}

void Acceptor::finish(std::uint64_t group) {
  std::deque<Arrival> late;
  {
    std::lock_guard lock(mutex_);
    if (finished_.insert(group).second && group != REPORT_GROUP) recently_finished_.push_back(group);
    if (recently_finished_.size() > FINISHED_LIMIT) {
      finished_.erase(recently_finished_.front());
      recently_finished_.pop_front();
    }
    for (auto at = arrivals_.begin(); at != arrivals_.end();) {
      if (at->hello.group == group) {
        late.push_back(std::move(*at));
        at = arrivals_.erase(at);
      } else {
        ++at;
      }
    }
  }
  for (Arrival& arrival : late) refuse(arrival, Verdict::NOT_EXPECTED, arrival.hello.world_size);
}

void Acceptor::run() noexcept {
  for (;;) {
    {
      std::lock_guard lock(mutex_);
      if (stopping_) return;
    }
    try {
      poll_once();
    } catch (const std::exception& error) {
      // Out of memory, most likely. The job does not need this thread now; the next round may fare better.
      // No text is put together here: an exception could not leave.
      log_notice(LogLevel::WARN, "Trouble while accepting connections; the reason follows.");
      log_notice(LogLevel::WARN, error.what());
      accept_again_ = Clock::now() + ACCEPT_PAUSE;
    }
  }
}

void Acceptor::poll_once() {
  Clock::time_point now = Clock::now();
  bool accepting = now >= accept_again_;
  std::vector<pollfd> entries{{wake_.get(), POLLIN, 0}};
  for (const Descriptor& listener : listeners_)
    entries.push_back({accepting ? listener.get() : -1, POLLIN, 0});
  for (const Pending& pending : pending_) entries.push_back({pending.socket.get(), POLLIN, 0});
  int patience = accepting ? -1 : static_cast<int>(ACCEPT_PAUSE.count());
  if (!pending_.empty()) {
    // They are in the order in which they came, so the first has the nearest limit.
    auto left = std::chrono::ceil<std::chrono::milliseconds>(pending_.front().limit - now).count();
    int first = static_cast<int>(std::max<std::int64_t>(left, 0));
    patience = accepting ? first : std::min(first, patience);
  }
  int ready = ::poll(entries.data(), entries.size(), patience);
  if (ready < 0 && errno != EINTR) throw system_error("poll for connections", errno);

  now = Clock::now();
  auto entry = entries.begin() + 1 + static_cast<std::ptrdiff_t>(listeners_.size());
  for (auto pending = pending_.begin(); pending != pending_.end(); ++entry) {
    bool stays = ready <= 0 || entry->revents == 0 || read_from(*pending);
    if (stays && pending->limit <= now) {
      log_refusal(pending->from,
                  "it did not finish its handshake in " + std::to_string(handshake_limit_.count()) + " ms");
      stays = false;
    }
    pending = stays ? std::next(pending) : pending_.erase(pending);
  }
  for (std::size_t i = 0; ready > 0 && i < listeners_.size(); ++i) {
    if (entries[1 + i].revents != 0) accept_from(listeners_[i]);
  }
}

void Acceptor::accept_from(const Descriptor& listener) {
  sockaddr_storage address;
  socklen_t size = sizeof address;
  Descriptor socket(
      ::accept4(listener.get(), reinterpret_cast<sockaddr*>(&address), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!socket) {
    // Errors of the connection itself (ECONNABORTED and the like) are of no concern; those of this process
    // are.
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      log_notice(LogLevel::WARN, system_error("accept a connection", errno).what());
      accept_again_ = Clock::now() + ACCEPT_PAUSE;
    }
    return;
  }
  std::string from = Endpoint(reinterpret_cast<sockaddr*>(&address), size).text();
  Challenge challenge{PROTOCOL_VERSION, random_nonce()};
  auto bytes = encode_challenge(challenge);
  if (::send(socket.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL) !=
      static_cast<ssize_t>(bytes.size())) {
    log_refusal(from, "it went away at once");
    return;
  }
  if (pending_.size() >= PENDING_LIMIT) {
    log_refusal(pending_.front().from, "too many connections are silent");
    pending_.pop_front();
  }
  pending_.push_back({std::move(socket), challenge.nonce, from, Clock::now() + handshake_limit_, {}, 0});
}

bool Acceptor::read_from(Pending& pending) {
  ssize_t got = ::recv(pending.socket.get(), pending.bytes.data() + pending.got, HELLO_BYTES - pending.got,
                       MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return true;
  if (got <= 0) {
    log_refusal(pending.from, "it broke off its handshake after " + std::to_string(pending.got) + " of " +
                                  std::to_string(HELLO_BYTES) + " bytes");
    return false;
  }
  pending.got += static_cast<std::size_t>(got);
  std::span<const std::byte> bytes(pending.bytes.data(), pending.got);
  if (bytes.size() < PREFIX_BYTES) return true;
  auto version = parse_prefix(bytes);
  if (version == PROTOCOL_VERSION && bytes.size() < HELLO_BYTES) return true;
  if (!version) {
    log_refusal(pending.from, "what it sent is no Lockstep handshake");
  } else if (version != PROTOCOL_VERSION) {
    Arrival arrival{std::move(pending.socket), {}, pending.nonce, pending.from};
    reply(arrival, Verdict::WRONG_VERSION, 0);
    log_refusal(pending.from, "it speaks version " + std::to_string(*version) +
                                  " of the protocol, this rank version " + std::to_string(PROTOCOL_VERSION));
  } else {
    judge(pending);
  }
  return false;
}

void Acceptor::judge(Pending& pending) {
  auto hello = parse_hello(pending.bytes);
  if (!hello) {
    log_refusal(pending.from, "its handshake is malformed");
    return;
  }
  Arrival arrival{std::move(pending.socket), *hello, pending.nonce, pending.from};
  if (!authentic_hello(pending.bytes, pending.nonce, token_)) {
    refuse(arrival, Verdict::WRONG_TOKEN, 0);
    return;
  }
  admit(std::move(arrival));
}

void Acceptor::admit(Arrival arrival) {
  {
    std::lock_guard lock(mutex_);
    if (!finished_.contains(arrival.hello.group) && arrivals_.size() < ARRIVAL_LIMIT) {
      arrivals_.push_back(std::move(arrival));
      arrived_.notify_all();
      return;
    }
  }
  refuse(arrival, Verdict::NOT_EXPECTED, 0);
}

void Acceptor::log_refusal(const std::string& from, const std::string& reason) {
  std::lock_guard lock(refusals_.mutex);
  const auto now = Clock::now();
  const bool is_one_of_the_first = refusals_.logged < FIRST_REFUSALS;
  if (!is_one_of_the_first && now - refusals_.last_logged < REFUSALS_INTERVAL) {
    ++refusals_.unlogged;
    return;
  }
  std::string text =
      "Rank " + std::to_string(rank_) + " refused a connection from " + from + ": " + reason + ".";
  if (refusals_.unlogged > 0) text += " So were " + std::to_string(refusals_.unlogged) + " before it.";
  refusals_.unlogged = 0;
  refusals_.last_logged = now;
  if (++refusals_.logged == FIRST_REFUSALS) {
    text += " Of further ones the log only tells how many there are, every " +
            std::to_string(REFUSALS_INTERVAL.count()) + " s.";
  }
  log_notice(LogLevel::WARN, text);
}

}  // namespace lockstep::tcp

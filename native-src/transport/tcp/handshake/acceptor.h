#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "transport/tcp/handshake/handshake.h"
#include "transport/tcp/handshake/socket.h"

namespace lockstep::tcp {

/// Guards a rank's listening sockets for as long as its transports live. A thread of its own accepts
/// connections and checks their handshakes; it never touches the data path. Whoever proves to know the token
/// waits in a queue until the group that it asks for takes it; strangers, old versions, garbage and the
/// silent are refused and logged. Thread-safe.
class Acceptor {
 public:
  /// A connection that knows the token; it still waits for its Reply.
  struct Arrival {
    Descriptor socket;
    Hello hello;
    Nonce nonce;       ///< of the challenge that it answered
    std::string from;  ///< its address, for messages
  };

  Acceptor(std::vector<Descriptor> listeners, int rank, std::string token,
           std::chrono::milliseconds handshake_limit);
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  const std::string& token() const { return token_; }

  /// The next arrival for the group, or nothing when none comes within `patience`.
  std::optional<Arrival> take(std::uint64_t group, std::chrono::milliseconds patience);

  /// Answers an arrival; a refusal is logged too.
  void accept(Arrival& arrival, int world_size);
  void refuse(Arrival& arrival, Verdict verdict, int world_size);

  /// The group is complete or gone: from now on its arrivals are refused.
  void finish(std::uint64_t group);

 private:
  using Clock = std::chrono::steady_clock;

  struct Pending {
    Descriptor socket;
    Nonce nonce;
    std::string from;
    Clock::time_point limit;
    std::array<std::byte, HELLO_BYTES> bytes;
    std::size_t got = 0;
  };

  void run() noexcept;
  void poll_once();
  void accept_from(const Descriptor& listener);
  /// @return whether the connection goes on being pending
  bool read_from(Pending& pending);
  void judge(Pending& pending);
  void admit(Arrival arrival);
  void reply(Arrival& arrival, Verdict verdict, int world_size);
  void log_refusal(const std::string& from, const std::string& reason);

  const std::vector<Descriptor> listeners_;
  const int rank_;
  const std::string token_;
  const std::chrono::milliseconds handshake_limit_;
  Descriptor wake_;
  std::list<Pending> pending_;        // the thread's own
  Clock::time_point accept_again_{};  // the thread's own
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Arrival> arrivals_;                 // under mutex_
  std::unordered_set<std::uint64_t> finished_;   // under mutex_
  std::deque<std::uint64_t> recently_finished_;  // under mutex_; the oldest are forgotten
  bool stopping_ = false;                        // under mutex_
  /// Refusals, of which a scanner of ports causes thousands: the first are logged, then a count now and then.
  struct Refusals {
    std::mutex mutex;
    int logged = 0;
    long unlogged = 0;
    Clock::time_point last_logged{};
  };
  Refusals refusals_;
  std::thread thread_;
};

}  // namespace lockstep::tcp

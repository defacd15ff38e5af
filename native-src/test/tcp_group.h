#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "core/deadline.h"
#include "transport/tcp/handshake/connect.h"
#include "transport/tcp/mesh/tcp_transport.h"

namespace lockstep::test {

/// Ends the program when a test hangs: the hard deadline of every test with several ranks.
class Watchdog {
 public:
  explicit Watchdog(std::chrono::seconds limit)
      : thread_([this, limit] {
          std::unique_lock lock(mutex_);
          if (done_changed_.wait_for(lock, limit, [this] { return done_; })) return;
          std::fprintf(stderr, "The ranks of this test have not ended within %ld s.\n",
                       static_cast<long>(limit.count()));
          std::abort();
        }) {}

  ~Watchdog() {
    {
      std::lock_guard lock(mutex_);
      done_ = true;
    }
    done_changed_.notify_all();
    thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable done_changed_;
  bool done_ = false;
  std::thread thread_;
};

inline int free_port() {
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    std::abort();
  }
  ::close(fd);
  return ntohs(address.sin_port);
}

/// A connection to the port that does not speak the protocol, or not on its own.
class Stranger {
 public:
  explicit Stranger(int port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~Stranger() { ::close(fd_); }
  Stranger(const Stranger&) = delete;
  Stranger& operator=(const Stranger&) = delete;

  bool connected() const { return connected_; }

  /// The other side may have cut the connection already, which is no concern of a stranger's.
  void say(std::span<const std::byte> bytes) {
    [[maybe_unused]] ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }

  /// Reads until `bytes` is full or the connection ends. @return the number of bytes read
  std::size_t hear(std::span<std::byte> bytes) {
    std::size_t heard = 0;
    while (heard < bytes.size()) {
      ssize_t got = ::recv(fd_, bytes.data() + heard, bytes.size() - heard, 0);
      if (got <= 0) break;
      heard += static_cast<std::size_t>(got);
    }
    return heard;
  }

  /// Blocks until the other side has cut the connection, as it does with whom it refuses.
  void wait_until_cut() {
    std::array<std::byte, 256> scratch;
    while (hear(scratch) == scratch.size()) {
    }
  }

 private:
  int fd_;
  bool connected_ = false;
};

/// A group over TCP whose ranks are threads.
class TcpGroup {
 public:
  explicit TcpGroup(int size) : size_(size) {
    options.world_size = size;
    options.master_address = "127.0.0.1";
    options.master_port = free_port();
    options.token = "a token of the tests";
    options.timeout_seconds = 20;
  }

  using Body = std::function<void(Transport&, const Deadline&)>;

  /// Forms the group and runs the body on every rank. @return what each rank threw, if anything
  std::vector<std::optional<Error>> run(const Body& body) {
    std::vector<int> ranks;
    for (int rank = 0; rank < size_; ++rank) ranks.push_back(rank);
    return run_ranks(*this, ranks, body);
  }

  /// The same for some of the ranks; the others are missing, or come from elsewhere.
  static std::vector<std::optional<Error>> run_ranks(const TcpGroup& group, const std::vector<int>& ranks,
                                                     const Body& body) {
    Watchdog watchdog(std::chrono::seconds(90));
    std::vector<std::optional<Error>> errors(ranks.size());
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < ranks.size(); ++i) {
      threads.emplace_back([&, i] {
        try {
          TcpOptions own = group.options;
          own.rank = ranks[i];
          if (group.adjust) group.adjust(i, own);
          auto transport = connect_tcp(own);
          std::atomic<bool> cancelled{false};
          Deadline deadline(std::chrono::duration<double>(group.operation_seconds), cancelled);
          body(*transport, deadline);
        } catch (const Error& error) {
          errors[i] = error;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    return errors;
  }

  TcpOptions options;
  std::function<void(std::size_t, TcpOptions&)>
      adjust;  ///< makes the options of the i-th rank that runs differ
  double operation_seconds = 20;

 private:
  const int size_;
};

/// Reports to rank 0 of the group as its rank 1, by hand. @return the connection
inline tcp::Descriptor report_by_hand(const TcpOptions& options, const Deadline& deadline) {
  auto master = tcp::resolve(options.master_address, static_cast<std::uint16_t>(options.master_port)).front();
  std::optional<tcp::Descriptor> socket;
  while (!socket && !deadline.passed()) socket = tcp::connect_to(master, deadline);
  tcp::Hello hello;
  hello.rank = 1;
  hello.world_size = options.world_size;
  hello.streams = static_cast<std::uint16_t>(options.streams);
  EXPECT_EQ(tcp::Step::DONE, tcp::shake_hands(*socket, hello, options.token, "rank 0", deadline));
  return std::move(*socket);
}

inline Signature message(int tag, std::size_t bytes) {
  Signature signature;
  signature.operation = Operation::SEND;
  signature.tag = tag;
  signature.count = bytes;
  return signature;
}

inline Signature collective(std::uint64_t sequence, std::size_t bytes,
                            Operation operation = Operation::ALL_REDUCE) {
  Signature signature;
  signature.operation = operation;
  signature.sequence = sequence;
  signature.count = bytes;
  return signature;
}

inline void send(Transport& transport, int peer, const Signature& signature, std::span<const std::byte> data,
                 const Deadline& deadline) {
  transport.wait(transport.post_send(peer, signature, data.data(), data.size()), deadline);
}

inline int receive(Transport& transport, int peer, const Signature& signature, std::span<std::byte> data,
                   const Deadline& deadline) {
  return transport.wait(transport.post_receive(peer, signature, data.data(), data.size()), deadline);
}

inline void expect_error(const std::optional<Error>& error, ErrorCode code, int rank,
                         const std::string& words) {
  ASSERT_TRUE(error) << "nothing was thrown";
  EXPECT_EQ(code, error->code()) << error->what();
  EXPECT_EQ(rank, error->rank()) << error->what();
  EXPECT_NE(std::string::npos, std::string(error->what()).find(words)) << error->what();
}

/// Waits for a message that never comes.
inline void wait_forever(Transport& transport, int peer, const Deadline& deadline) {
  std::vector<std::byte> byte(1);
  receive(transport, peer, message(77, 1), byte, deadline);
}

/// Bytes that depend on the seed and on their place.
inline std::vector<std::byte> pattern(std::size_t size, unsigned seed) {
  std::vector<std::byte> bytes(size);
  std::uint32_t state = seed * 2654435761U + 1;
  for (std::byte& byte : bytes) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<std::byte>(state >> 24);
  }
  return bytes;
}

}  // namespace lockstep::test

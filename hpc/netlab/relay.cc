// A cable that delays, loses and reorders, for kernels without netem: copies packets between two interfaces
// of its network namespace. What goes from the first to the second is impaired, the other way is straight.
//
//   netlab_relay IN OUT DELAY JITTER LOSS REORDER      (as tc's netem has them: 10ms 2ms 0.1% 5%)
//
// A reordered packet is sent at once and so overtakes those that are delayed. The random numbers have a fixed
// seed.

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <queue>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t LARGEST_PACKET = 1 << 17;  // with segmentation offload, and its header
constexpr std::size_t QUEUE_LIMIT = 100'000;     // packets under way, as netem's limit in apply_shape
constexpr int BUFFER_BYTES = 16 << 20;
constexpr int READS_AT_ONCE = 64;
constexpr unsigned SEED = 1;

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

/// All packets of one interface. Each has a virtio header in front, which keeps what the sender left to
/// hardware: segmentation and checksums.
int open_interface(const char* name) {
  const int fd = ::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("Cannot open a packet socket");
  const int one = 1;
  if (::setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof one) != 0)
    fail("Cannot set PACKET_VNET_HDR");
  if (::setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one) != 0) {
    fail("Cannot set PACKET_IGNORE_OUTGOING");
  }
  ::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &BUFFER_BYTES, sizeof BUFFER_BYTES);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &BUFFER_BYTES, sizeof BUFFER_BYTES);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(::if_nametoindex(name));
  if (address.sll_ifindex == 0) fail(std::string("There is no interface ") + name);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fail("Cannot bind");
  packet_mreq promiscuous{};
  promiscuous.mr_ifindex = address.sll_ifindex;
  promiscuous.mr_type = PACKET_MR_PROMISC;
  if (::setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof promiscuous) != 0) {
    fail("Cannot make the interface promiscuous");
  }
  return fd;
}

struct Impairment {
  std::chrono::duration<double, std::milli> delay;
  std::chrono::duration<double, std::milli> jitter;
  double loss;  // probabilities
  double reorder;
};

struct Packet {
  Clock::time_point due;
  std::uint64_t number;  // keeps the order of packets that are due together
  std::vector<char> bytes;
  bool operator>(const Packet& other) const {
    return due != other.due ? due > other.due : number > other.number;
  }
};

class Relay {
 public:
  Relay(const char* in, const char* out, const Impairment& impairment)
      : in_(open_interface(in)), out_(open_interface(out)), impairment_(impairment) {}

  [[noreturn]] void run() {
    for (;;) {
      std::array<pollfd, 2> entries{{{in_, POLLIN, 0}, {out_, POLLIN, 0}}};
      timespec patience = until_next();
      if (::ppoll(entries.data(), entries.size(), under_way_.empty() ? nullptr : &patience, nullptr) < 0 &&
          errno != EINTR) {
        fail("Cannot poll");
      }
      take(in_, [this](std::size_t size) { impair(size); });
      take(out_, [this](std::size_t size) { send(in_, buffer_.data(), size); });
      deliver();
    }
  }

 private:
  template <typename Use>
  void take(int fd, Use use) {
    for (int reads = 0; reads < READS_AT_ONCE; ++reads) {
      const ssize_t got = ::recv(fd, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
      if (got < 0) return;  // nothing more, or an interface that is down
      use(static_cast<std::size_t>(got));
    }
  }

  void impair(std::size_t size) {
    if (chance_(random_) < impairment_.loss || under_way_.size() >= QUEUE_LIMIT) return;
    auto delay = impairment_.delay + impairment_.jitter * (2 * chance_(random_) - 1);
    if (chance_(random_) < impairment_.reorder) delay = delay.zero();
    if (delay.count() <= 0) return send(out_, buffer_.data(), size);
    under_way_.push({Clock::now() + std::chrono::duration_cast<Clock::duration>(delay), ++number_,
                     std::vector<char>(buffer_.data(), buffer_.data() + size)});
  }

  void deliver() {
    while (!under_way_.empty() && under_way_.top().due <= Clock::now()) {
      send(out_, under_way_.top().bytes.data(), under_way_.top().bytes.size());
      under_way_.pop();
    }
  }

  // What the interface does not take is lost, as on any cable.
  static void send(int fd, const char* bytes, std::size_t size) {
    [[maybe_unused]] const ssize_t sent = ::send(fd, bytes, size, MSG_DONTWAIT);
  }

  timespec until_next() const {
    if (under_way_.empty()) return {};
    const auto left = std::max(under_way_.top().due - Clock::now(), Clock::duration::zero());
    const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(left).count();
    return {nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
  }

  const int in_;
  const int out_;
  const Impairment impairment_;
  std::vector<char> buffer_ = std::vector<char>(LARGEST_PACKET);
  std::priority_queue<Packet, std::vector<Packet>, std::greater<>> under_way_;
  std::uint64_t number_ = 0;
  std::mt19937_64 random_{SEED};
  std::uniform_real_distribution<double> chance_;
};

/// A number with its unit.
double quantity(const std::string& text, const std::string& unit, double scale) {
  std::size_t end = 0;
  const double value = std::stod(text, &end);
  if (text.substr(end) != unit || value < 0) throw std::invalid_argument("'" + text + "' is not in " + unit);
  return value * scale;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 7) throw std::invalid_argument("netlab_relay IN OUT DELAY JITTER LOSS REORDER");
    using Milliseconds = std::chrono::duration<double, std::milli>;
    Relay(argv[1], argv[2],
          {Milliseconds(quantity(argv[3], "ms", 1)), Milliseconds(quantity(argv[4], "ms", 1)),
           quantity(argv[5], "%", 0.01), quantity(argv[6], "%", 0.01)})
        .run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "netlab: %s\n", error.what());
    return 1;
  }
}

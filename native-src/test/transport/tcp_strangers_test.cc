// A job over TCP that runs while strangers send random and truncated bytes to the master's port.

#include <gtest/gtest.h>

#include <random>

#include "core/log.h"
#include "tcp_group.h"
#include "transport/tcp/handshake/handshake.h"
#include "transport/tcp/wire/frame.h"

namespace lockstep::test {
namespace {

constexpr int STREAMS = 10000;
constexpr int STRANGERS = 2;
constexpr unsigned SEED = 4711;

// Noise, or something that looks right up to a point: hellos without the token, cut or changed; frames; HTTP.
std::vector<std::byte> odd_bytes(std::mt19937_64& random) {
  std::vector<std::byte> bytes;
  auto take = [&](const auto& valid) { bytes.assign(valid.begin(), valid.end()); };
  switch (random() % 5) {
    case 0:
      break;  // says nothing
    case 1: {
      bytes.resize(random() % 300);
      for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
      break;
    }
    case 2: {
      tcp::Hello hello;
      hello.rank = 1;
      hello.world_size = 2;
      hello.version = static_cast<std::uint16_t>(random() % 3);
      take(tcp::encode_hello(hello, {}, "a guess"));
      break;
    }
    case 3: {
      tcp::FrameHeaderBytes frame;
      tcp::encode_frame({}, frame);
      take(frame);
      break;
    }
    default: {
      constexpr std::string_view REQUEST = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
      take(std::as_bytes(std::span(REQUEST)));
    }
  }
  if (random() % 2 == 0) bytes.resize(random() % (bytes.size() + 1));
  if (!bytes.empty() && random() % 4 == 0) bytes[random() % bytes.size()] ^= static_cast<std::byte>(random());
  return bytes;
}

void pester(int port, unsigned seed) {
  std::mt19937_64 random(seed);
  for (int i = 0; i < STREAMS / STRANGERS; ++i) {
    Stranger stranger(port);
    ASSERT_TRUE(stranger.connected());
    stranger.say(odd_bytes(random));
    // Some leave at once with unread bytes (a reset), some wait to be sent away.
    if (random() % 4 == 0) {
      std::array<std::byte, tcp::CHALLENGE_BYTES> challenge;
      stranger.hear(challenge);
    }
  }
}

/// Both ranks send each other `round`'s data and check it. @return whether rank 0 wants another round
bool exchange(Transport& transport, unsigned round, bool more, const Deadline& deadline) {
  constexpr std::size_t SIZE = 3000;
  int peer = 1 - transport.rank();
  auto own = pattern(SIZE, 2 * round + static_cast<unsigned>(transport.rank()));
  own[0] = static_cast<std::byte>(more);
  std::vector<std::byte> theirs(SIZE);
  std::array tickets = {transport.post_receive(peer, collective(round, SIZE), theirs.data(), SIZE),
                        transport.post_send(peer, collective(round, SIZE), own.data(), SIZE)};
  transport.wait_all(tickets, deadline);
  auto expected = pattern(SIZE, 2 * round + static_cast<unsigned>(peer));
  expected[0] = theirs[0];
  EXPECT_EQ(expected, theirs) << "round " << round;
  return transport.rank() == 0 ? more : theirs[0] == std::byte{1};
}

TEST(TcpStrangers, DoNotDisturbTheJob) {
  SCOPED_TRACE("seed " + std::to_string(SEED));
  TcpGroup group(2);
  group.options.frame_payload_limit = 1000;
  std::atomic<int> strangers_left{STRANGERS};
  std::vector<std::thread> strangers;
  unsigned rounds = 0;
  auto errors = group.run([&](Transport& transport, const Deadline&) {
    std::atomic<bool> never{false};
    if (transport.rank() == 0) {
      for (unsigned i = 0; i < STRANGERS; ++i) {
        strangers.emplace_back([&, i] {
          pester(group.options.master_port, SEED + i);
          --strangers_left;
        });
      }
    }
    unsigned round = 1;
    while (exchange(transport, round, strangers_left > 0, Deadline(std::chrono::seconds(20), never))) ++round;
    if (transport.rank() == 0) rounds = round;
  });
  for (std::thread& stranger : strangers) stranger.join();
  for (const auto& error : errors) EXPECT_FALSE(error) << error->what();
  EXPECT_GT(rounds, 10U);
  int refusals = 0;
  for (std::string notice = take_notice(); !notice.empty(); notice = take_notice()) {
    if (notice.find("refused a connection from 127.0.0.1") != std::string::npos) ++refusals;
  }
  EXPECT_GE(refusals, 20) << "the first are told one by one";
  EXPECT_LT(refusals, 40) << "a flood of them does not fill the log, which keeps 1,000 notices";
}

}  // namespace
}  // namespace lockstep::test

// How a group over TCP forms, and who is kept out of it.

#include <gtest/gtest.h>
#include <poll.h>

#include <future>
#include <limits>

#include "core/log.h"
#include "tcp_group.h"
#include "transport/tcp/wire/control.h"

namespace lockstep::test {
namespace {

void expect_error(const std::optional<Error>& error, ErrorCode code, const std::string& words) {
  ASSERT_TRUE(error) << "nothing was thrown";
  EXPECT_EQ(code, error->code()) << error->what();
  EXPECT_NE(std::string::npos, std::string(error->what()).find(words)) << error->what();
}

void forget_log() {
  while (!take_notice().empty()) {
  }
}

/// Waits until the log has a notice with these words; the watchdog of the test is the deadline.
void expect_notice(const std::string& words) {
  for (;;) {
    std::string notice = take_notice();
    if (notice.find(words) != std::string::npos) return;
    if (notice.empty()) std::this_thread::yield();
  }
}

void pass_a_ring(Transport& transport, const Deadline& deadline) {
  int next = (transport.rank() + 1) % transport.size();
  int previous = (transport.rank() + transport.size() - 1) % transport.size();
  auto sent = pattern(1000, static_cast<unsigned>(transport.rank()));
  std::vector<std::byte> received(1000);
  send(transport, next, message(1, 1000), sent, deadline);
  receive(transport, previous, message(1, 1000), received, deadline);
  EXPECT_EQ(pattern(1000, static_cast<unsigned>(previous)), received);
}

TEST(TcpRendezvous, WaitsForRanksThatComeLateOrBeforeRank0) {
  TcpGroup group(4);
  // Whoever is turned away here has come before rank 0.
  auto port = static_cast<std::uint16_t>(group.options.master_port);
  tcp::Descriptor in_its_place = tcp::listen_on(tcp::resolve("127.0.0.1", port).front());
  std::promise<void> begun;
  std::shared_future<void> has_begun = begun.get_future().share();
  group.adjust = [&](std::size_t i, TcpOptions&) {
    if (i == 0) {
      pollfd early{in_its_place.get(), POLLIN, 0};
      EXPECT_EQ(1, ::poll(&early, 1, 20'000));
      in_its_place.reset();
      begun.set_value();
    }
    if (i == 3) has_begun.wait();
  };
  for (const auto& error : group.run(pass_a_ring)) EXPECT_FALSE(error) << error->what();
}

TEST(TcpRendezvous, NamesTheRanksThatHaveNotCome) {
  TcpGroup group(4);
  group.options.timeout_seconds = 0.5;
  auto errors = TcpGroup::run_ranks(group, {0, 2}, pass_a_ring);
  for (const auto& error : errors) {
    expect_error(error, ErrorCode::TIMEOUT, "ranks 1 and 3");
    EXPECT_EQ(1, error->rank());
  }
}

TEST(TcpRendezvous, NamesRank0WhenItDoesNotListen) {
  TcpGroup group(2);
  group.options.timeout_seconds = 0.2;
  auto errors = TcpGroup::run_ranks(group, {1}, pass_a_ring);
  expect_error(errors[0], ErrorCode::TIMEOUT, "Connection refused");
  EXPECT_EQ(0, errors[0]->rank());
}

TEST(TcpRendezvous, SaysInOneSentenceThatTheNameOfRank0CannotBeResolved) {
  TcpGroup group(2);
  group.options.timeout_seconds = 0.25;
  group.options.master_address = "rank0.invalid";  // RFC 2606
  auto errors = TcpGroup::run_ranks(group, {1}, pass_a_ring);
  expect_error(errors[0], ErrorCode::TIMEOUT, "in 0.25 s: Cannot resolve the master address 'rank0.invalid'");
  expect_error(errors[0], ErrorCode::TIMEOUT, "address of rank 0's host. Check that rank 0 runs");
}

TEST(TcpRendezvous, SaysThatThePortIsInUse) {
  TcpGroup group(2);
  tcp::Descriptor taken = tcp::listen_on(tcp::resolve("127.0.0.1", 0).front());
  group.options.master_port = tcp::Endpoint::local(taken.get()).port();
  auto errors = TcpGroup::run_ranks(group, {0}, pass_a_ring);
  expect_error(errors[0], ErrorCode::RENDEZVOUS,
               "127.0.0.1:" + std::to_string(group.options.master_port) + ": another process uses this port");
}

TEST(TcpRendezvous, SaysThatTheAddressIsNotOfThisHost) {
  TcpGroup group(2);
  group.options.master_address = "192.0.2.1";  // of nobody (RFC 5737)
  auto errors = TcpGroup::run_ranks(group, {0}, pass_a_ring);
  expect_error(errors[0], ErrorCode::RENDEZVOUS, "no address of this host");
}

TEST(TcpRendezvous, RefusesImpossibleOptions) {
  const std::vector<std::function<void(TcpOptions&)>> mistakes = {
      [](TcpOptions& options) { options.rank = 2; },
      [](TcpOptions& options) { options.world_size = 0; },
      [](TcpOptions& options) { options.master_address = ""; },
      [](TcpOptions& options) { options.master_port = 65536; },
      [](TcpOptions& options) { options.token = std::string(1025, 'x'); },
      [](TcpOptions& options) { options.timeout_seconds = 0; },
      [](TcpOptions& options) { options.streams = 0; },
      [](TcpOptions& options) { options.streams = 65; },
  };
  for (std::size_t i = 0; i < mistakes.size(); ++i) {
    TcpGroup group(2);
    group.adjust = [&](std::size_t, TcpOptions& options) { mistakes[i](options); };
    expect_error(TcpGroup::run_ranks(group, {0}, pass_a_ring)[0], ErrorCode::INVALID_ARGUMENT, "");
  }
}

TEST(TcpRendezvous, TakesATimeoutWithoutEnd) {
  TcpGroup group(2);
  group.options.timeout_seconds = std::numeric_limits<double>::infinity();
  for (const auto& error : group.run(pass_a_ring)) EXPECT_FALSE(error) << error->what();
}

TEST(TcpRendezvous, WarnsOfAnOpenGroupWithoutAToken) {
  forget_log();
  TcpGroup group(2);
  group.options.token = "";
  for (const auto& error : group.run(pass_a_ring)) EXPECT_FALSE(error) << error->what();
  EXPECT_EQ("", take_notice()) << "others do not reach the loopback addresses";
  group.options.master_address = "0.0.0.0";
  for (const auto& error : group.run(pass_a_ring)) EXPECT_FALSE(error) << error->what();
  expect_notice("WARN Without a token, whoever reaches 0.0.0.0");
}

TEST(TcpRendezvous, LooksUpNoNamesOfAList) {
  EXPECT_EQ("127.0.0.1:80", tcp::Endpoint::numeric("127.0.0.1", 80)->text());
  EXPECT_EQ("[::1]:80", tcp::Endpoint::numeric("::1", 80)->text());
  EXPECT_FALSE(tcp::Endpoint::numeric("localhost", 80));
}

TEST(TcpRendezvous, RefusesAnotherToken) {
  forget_log();
  TcpGroup group(2);
  group.options.timeout_seconds = 0.5;
  group.adjust = [](std::size_t i, TcpOptions& options) {
    if (i == 1) options.token = "a guess";
  };
  auto errors = group.run(pass_a_ring);
  expect_error(errors[0], ErrorCode::TIMEOUT, "rank 1 of 2 did not report");
  expect_error(errors[1], ErrorCode::RENDEZVOUS, "tokens differ");
  expect_notice("it does not have this job's token");
}

TEST(TcpRendezvous, RefusesAnotherWorldSizeOnBothSides) {
  TcpGroup group(2);
  group.adjust = [](std::size_t i, TcpOptions& options) {
    if (i == 1) options.world_size = 3;
  };
  auto errors = group.run(pass_a_ring);
  expect_error(errors[0], ErrorCode::RENDEZVOUS, "believes in a world of 3 ranks, rank 0 in one of 2");
  expect_error(errors[1], ErrorCode::RENDEZVOUS, "a world of 3 ranks, the other side of 2");
}

TEST(TcpRendezvous, RefusesAnotherNumberOfStreamsOnBothSides) {
  TcpGroup group(2);
  group.adjust = [](std::size_t i, TcpOptions& options) { options.streams = i == 1 ? 3 : 2; };
  auto errors = group.run(pass_a_ring);
  expect_error(errors[0], ErrorCode::RENDEZVOUS, "opens 3 streams to each rank, rank 0 2");
  expect_error(errors[1], ErrorCode::RENDEZVOUS, "this process opens 3 streams");
}

TEST(TcpRendezvous, RefusesARankThatComesTwice) {
  TcpGroup group(3);
  auto errors = TcpGroup::run_ranks(group, {0, 1, 1}, pass_a_ring);
  expect_error(errors[0], ErrorCode::RENDEZVOUS, "Two processes report as rank 1");
  for (std::size_t i : {1, 2})
    expect_error(errors[i], ErrorCode::RENDEZVOUS, "give every process a RANK of its own");
}

TEST(TcpRendezvous, TakesARankThatWasStartedAnew) {
  TcpGroup group(3);
  std::atomic<bool> never{false};
  std::thread first_try([&] { report_by_hand(group.options, Deadline(std::chrono::seconds(20), never)); });
  std::promise<void> over;
  std::shared_future<void> is_over = over.get_future().share();
  group.adjust = [&](std::size_t i, TcpOptions&) {
    if (i == 1) {
      first_try.join();
      over.set_value();
    }
    if (i == 2) is_over.wait();
  };
  for (const auto& error : group.run(pass_a_ring)) EXPECT_FALSE(error) << error->what();
}

TEST(TcpRendezvous, TellsAnotherVersionWhy) {
  forget_log();
  TcpGroup group(2);
  auto stranger = [&] {
    Stranger old(group.options.master_port);
    std::array<std::byte, tcp::CHALLENGE_BYTES> challenge;
    ASSERT_EQ(challenge.size(), old.hear(challenge));
    tcp::Hello hello;
    hello.version = 0;
    hello.rank = 1;
    hello.world_size = 2;
    old.say(tcp::encode_hello(hello, tcp::parse_challenge(challenge)->nonce, group.options.token));
    std::array<std::byte, tcp::REPLY_BYTES> reply;
    ASSERT_EQ(reply.size(), old.hear(reply));
    EXPECT_EQ(tcp::Verdict::WRONG_VERSION, tcp::parse_reply(reply)->verdict);
  };
  auto errors = group.run([&](Transport& transport, const Deadline& deadline) {
    if (transport.rank() == 1) stranger();
    pass_a_ring(transport, deadline);
  });
  for (const auto& error : errors) EXPECT_FALSE(error) << error->what();
  expect_notice("it speaks version 0 of the protocol, this rank version " +
                std::to_string(tcp::PROTOCOL_VERSION));
}

TEST(TcpRendezvous, ALateImpostorIsRefusedWhileTheJobGoesOn) {
  TcpGroup group(2);
  auto errors = group.run([&](Transport& transport, const Deadline& deadline) {
    if (transport.rank() == 1) {
      TcpOptions impostor = group.options;
      impostor.rank = 1;
      std::optional<Error> refusal;
      try {
        connect_tcp(impostor);
      } catch (const Error& error) {
        refusal = error;
      }
      expect_error(refusal, ErrorCode::RENDEZVOUS, "the group is complete");
    }
    pass_a_ring(transport, deadline);
  });
  for (const auto& error : errors) EXPECT_FALSE(error) << error->what();
}

// More connections than the acceptor lets pend, which never say a word and are never timed out.
TEST(TcpRendezvous, IsNotDelayedBySilentConnections) {
  forget_log();
  TcpGroup group(3);
  group.options.handshake_limit = std::chrono::hours(1);
  std::vector<std::unique_ptr<Stranger>> silent;
  group.adjust = [&](std::size_t i, TcpOptions& options) {
    if (i != 1) return;
    while (silent.size() < 300) {
      auto stranger = std::make_unique<Stranger>(options.master_port);
      if (stranger->connected()) silent.push_back(std::move(stranger));
    }
  };
  for (const auto& error : group.run(pass_a_ring)) EXPECT_FALSE(error) << error->what();
  expect_notice("too many connections are silent");
}

TEST(TcpRendezvous, SendsSilentConnectionsAwayWhileTheJobRuns) {
  forget_log();
  TcpGroup group(2);
  group.options.handshake_limit = std::chrono::milliseconds(100);
  auto errors = group.run([&](Transport& transport, const Deadline& deadline) {
    if (transport.rank() == 1) Stranger(group.options.master_port).wait_until_cut();
    pass_a_ring(transport, deadline);
  });
  for (const auto& error : errors) EXPECT_FALSE(error) << error->what();
  expect_notice("did not finish its handshake in 100 ms");
}

}  // namespace
}  // namespace lockstep::test

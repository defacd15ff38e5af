// How ranks over TCP end when one of them dies, disagrees, leaves, stays silent or gives up.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <future>

#include "tcp_group.h"
#include "transport/tcp/wire/control.h"
#include "transport/tcp/wire/control_frame.h"

namespace lockstep::test {
namespace {

TEST(TcpFailure, SilenceEndsInATimeoutThatNamesTheRank) {
  TcpGroup group(2);
  group.operation_seconds = 0.3;
  std::promise<void> given_up;
  auto errors = group.run([&](Transport& transport, const Deadline& deadline) {
    if (transport.rank() == 1) {
      given_up.get_future().wait();
      wait_forever(transport, 0, deadline);
    }
    try {
      std::vector<std::byte> bytes(8);
      receive(transport, 1, collective(7, 8), bytes, deadline);
    } catch (...) {
      given_up.set_value();
      throw;
    }
  });
  expect_error(errors[0], ErrorCode::TIMEOUT, 1, "all-reduce #7");
  expect_error(errors[0], ErrorCode::TIMEOUT, 1, "0.3 s for rank 1");
  expect_error(errors[1], ErrorCode::TIMEOUT, 1, "Rank 0 ended the group");
}

TEST(TcpFailure, AStuckSendEndsWithinTheDeadline) {
  TcpGroup group(2);
  group.operation_seconds = 0.3;
  std::promise<void> given_up;
  auto errors = group.run([&](Transport& transport, const Deadline& deadline) {
    if (transport.rank() == 1) {
      given_up.get_future().wait();
      std::atomic<bool> never{false};
      wait_forever(transport, 0, Deadline(std::chrono::seconds(20), never));
    }
    try {
      std::vector<std::byte> large(256U << 20);
      send(transport, 1, message(0, large.size()), large, deadline);
    } catch (...) {
      given_up.set_value();
      throw;
    }
  });
  expect_error(errors[0], ErrorCode::TIMEOUT, 1, "send of");
  // Rank 0 could tell the reason only if it stood between two frames; otherwise it cut the connection.
  if (errors[1] && errors[1]->code() == ErrorCode::TIMEOUT) {
    expect_error(errors[1], ErrorCode::TIMEOUT, 1, "Rank 0 ended the group");
  } else {
    expect_error(errors[1], ErrorCode::PEER_FAILED, 0, "Rank 0 died");
  }
}

TEST(TcpFailure, CancellingEndsAWait) {
  TcpGroup group(2);
  auto errors = group.run([](Transport& transport, const Deadline& deadline) {
    if (transport.rank() == 1) wait_forever(transport, 0, deadline);
    std::atomic<bool> cancelled{false};
    std::thread closer([&] { cancelled = true; });
    Deadline own(std::chrono::seconds(20), cancelled);
    try {
      wait_forever(transport, 1, own);
    } catch (...) {
      closer.join();
      throw;
    }
  });
  ASSERT_TRUE(errors[0]);
  EXPECT_EQ(ErrorCode::CLOSED, errors[0]->code());
  expect_error(errors[1], ErrorCode::PEER_FAILED, 0, "left the group");
}

TEST(TcpFailure, AbortReachesEveryRankWithItsReason) {
  TcpGroup group(4);
  auto errors = group.run([](Transport& transport, const Deadline& deadline) {
    if (transport.rank() == 2) {
      Error reason(ErrorCode::SYSTEM, "The disk is full.");
      transport.abort(reason);
      throw reason;
    }
    wait_forever(transport, (transport.rank() + 1) % 4, deadline);
  });
  for (int rank : {0, 1, 3}) {
    expect_error(errors[rank], ErrorCode::SYSTEM, 2, "Rank 2 ended the group: The disk is full.");
  }
}

TEST(TcpFailure, AGoodbyeDisturbsOnlyWhoNeedsTheRank) {
  TcpGroup group(3);
  std::promise<void> left;
  std::shared_future<void> has_left = left.get_future().share();
  auto errors = group.run([&](Transport& transport, const Deadline& deadline) {
    if (transport.rank() == 2) {
      transport.close();
      left.set_value();
      return;
    }
    has_left.wait();
    int peer = 1 - transport.rank();
    std::vector<std::byte> bytes(100000);
    for (int round = 0; round < 10; ++round) {
      send(transport, peer, message(round, bytes.size()), bytes, deadline);
      receive(transport, peer, message(round, bytes.size()), bytes, deadline);
    }
    if (transport.rank() == 0) wait_forever(transport, 2, deadline);
    if (transport.rank() == 1) wait_forever(transport, 0, deadline);
  });
  EXPECT_FALSE(errors[2]);
  expect_error(errors[0], ErrorCode::PEER_FAILED, 2, "Rank 2 has left the group");
  expect_error(errors[1], ErrorCode::PEER_FAILED, 2, "Rank 2 has left the group");
}

/// Rank 2 of 3 as a process of its own, which `end` ends once the group has formed; ranks 0 and 1 are
/// threads.
void expect_death_is_noticed(const std::function<void()>& end) {
  TcpGroup group(3);
  pid_t child = ::fork();
  if (child == 0) {
    try {
      TcpOptions own = group.options;
      own.rank = 2;
      auto transport = connect_tcp(own);
      end();
    } catch (const Error&) {
    }
    ::_exit(1);
  }
  auto errors = TcpGroup::run_ranks(group, {0, 1}, [](Transport& transport, const Deadline& deadline) {
    // Rank 0 does not talk with the dead rank itself.
    wait_forever(transport, transport.rank() + 1, deadline);
  });
  int status = 0;
  ::waitpid(child, &status, 0);
  for (int rank : {0, 1}) expect_error(errors[rank], ErrorCode::PEER_FAILED, 2, "Rank 2 died");
}

TEST(TcpFailure, AKilledProcessIsNamedOnEverySurvivor) {
  expect_death_is_noticed([] { ::kill(::getpid(), SIGKILL); });
}

TEST(TcpFailure, AProcessThatEndsWithoutAGoodbyeIsNamedToo) {
  expect_death_is_noticed([] { ::_exit(0); });
}

/// Joins as rank 1 of 2 by hand, and then says `bytes` on the connection to rank 0.
std::optional<Error> rank_0_hears(std::span<const std::byte> bytes) {
  TcpGroup group(2);
  group.options.streams = 1;
  std::atomic<bool> never{false};
  std::thread impostor([&] {
    Deadline deadline(std::chrono::seconds(20), never);
    tcp::Descriptor socket = report_by_hand(group.options, deadline);
    tcp::ControlFrame roster;
    do {
      tcp::read_control(socket.get(), roster, deadline);
    } while (tcp::parse_roster(roster.payload, 2)->group == 0);
    const auto master =
        tcp::resolve("127.0.0.1", static_cast<std::uint16_t>(group.options.master_port)).front();
    const auto channel = tcp::connect_to(master, deadline);
    tcp::Hello hello;
    hello.group = tcp::parse_roster(roster.payload, 2)->group;
    hello.rank = 1;
    hello.world_size = 2;
    hello.streams = hello.stream = 1;
    EXPECT_EQ(tcp::Step::DONE, tcp::shake_hands(*channel, hello, group.options.token, "rank 0", deadline));
    tcp::write_all(socket.get(), bytes, deadline);
    std::array<std::byte, 256> answer;
    tcp::read_exactly(socket.get(), answer, deadline);
  });
  auto errors = TcpGroup::run_ranks(group, {0}, [](Transport& transport, const Deadline& deadline) {
    wait_forever(transport, 1, deadline);
  });
  impostor.join();
  return errors[0];
}

TEST(TcpFailure, AFrameWithAWrongChecksumIsAnErrorOfItsSender) {
  tcp::FrameHeader header;
  header.source = 1;
  tcp::FrameHeaderBytes bytes;
  tcp::encode_frame(header, bytes);
  bytes[40] ^= std::byte{1};
  expect_error(rank_0_hears(bytes), ErrorCode::PEER_FAILED, 1, "checksum is wrong");
}

TEST(TcpFailure, AnOverlongFrameIsAnErrorOfItsSender) {
  tcp::FrameHeader header;
  header.source = 1;
  header.total = ~std::uint64_t{0};
  header.payload = 0x7FFFFFFF;
  tcp::FrameHeaderBytes bytes;
  tcp::encode_frame(header, bytes);
  expect_error(rank_0_hears(bytes), ErrorCode::PEER_FAILED, 1, "over the limit");
}

TEST(TcpFailure, FramesOutOfOrderAreAnErrorOfTheirSender) {
  tcp::FrameHeader header;
  header.source = 1;
  header.total = 10;
  header.offset = 5;
  header.payload = 5;
  tcp::FrameHeaderBytes bytes;
  tcp::encode_frame(header, bytes);
  expect_error(rank_0_hears(bytes), ErrorCode::PEER_FAILED, 1, "do not follow one another");
}

TEST(TcpFailure, AMessageThatComesTwiceIsAnErrorOfItsSender) {
  tcp::FrameHeader header;
  header.source = 1;
  header.signature = collective(5, 0);
  header.number = 3;
  tcp::FrameHeaderBytes head;
  tcp::encode_frame(header, head);
  std::vector<std::byte> bytes(head.begin(), head.end());
  bytes.insert(bytes.end(), head.begin(), head.end());
  expect_error(rank_0_hears(bytes), ErrorCode::PEER_FAILED, 1, "do not follow one another");
}

// The header claims an exabyte: memory grows only with what arrives.
TEST(TcpFailure, AClaimedLengthCostsNoMemory) {
  tcp::FrameHeader header;
  header.source = 1;
  header.signature = message(1, 1);
  header.total = std::uint64_t{1} << 60;
  header.payload = 16;
  std::vector<std::byte> bytes(tcp::FRAME_HEADER_BYTES + 16);
  tcp::FrameHeaderBytes head;
  tcp::encode_frame(header, head);
  std::copy(head.begin(), head.end(), bytes.begin());
  auto abort =
      tcp::control_bytes(tcp::FrameKind::ABORT, 1, tcp::encode_abort({ErrorCode::SYSTEM, 1, "enough"}));
  bytes.insert(bytes.end(), abort.begin(), abort.end());
  expect_error(rank_0_hears(bytes), ErrorCode::SYSTEM, 1, "enough");
}

TEST(TcpFailure, ASubGroupThatOneRankDoesNotJoinTimesOut) {
  TcpGroup group(2);
  group.operation_seconds = 0.3;
  auto errors = group.run([](Transport& transport, const Deadline& deadline) {
    const std::vector<int> both = {0, 1};
    if (transport.rank() == 0) transport.split(both, deadline);
    if (transport.rank() == 1) {
      std::atomic<bool> never{false};
      wait_forever(transport, 0, Deadline(std::chrono::seconds(20), never));
    }
  });
  expect_error(errors[0], ErrorCode::TIMEOUT, 1, "rank 1 to connect");
  expect_error(errors[1], ErrorCode::TIMEOUT, 1, "rank 1 to connect");
}

TEST(TcpFailure, ASubGroupNamesAnAbsentRankAsTheWholeGroupDoes) {
  TcpGroup group(3);
  group.operation_seconds = 0.3;
  auto errors = group.run([](Transport& transport, const Deadline& deadline) {
    const std::vector<int> some = {1, 2};
    if (transport.rank() == 1) transport.split(some, deadline);
    std::atomic<bool> never{false};
    wait_forever(transport, 1, Deadline(std::chrono::seconds(20), never));
  });
  expect_error(errors[0], ErrorCode::TIMEOUT, 2, "Among ranks 1, 2, counted from 0: Rank 0 waited 0.3");
  expect_error(errors[1], ErrorCode::TIMEOUT, 2, "Rank 2 is at fault");
  expect_error(errors[2], ErrorCode::TIMEOUT, 2, "Rank 2 is at fault");
}

// Rank 2 waits for rank 1's answer to its handshake, which rank 1 never gives, when rank 0 gives up.
TEST(TcpFailure, ASubGroupThatOneRankGivesUpEndsForTheOthersToo) {
  TcpGroup group(3);
  auto errors = group.run([](Transport& transport, const Deadline& deadline) {
    const std::vector<int> all = {0, 1, 2};
    std::atomic<bool> never{false};
    double patience = transport.rank() == 0 ? 0.3 : 20;
    if (transport.rank() == 1) wait_forever(transport, 0, deadline);
    transport.split(all, Deadline(std::chrono::duration<double>(patience), never));
  });
  expect_error(errors[0], ErrorCode::TIMEOUT, 1, "rank 1 to connect");
  expect_error(errors[1], ErrorCode::TIMEOUT, 1, "Rank 0 ended the group");
  expect_error(errors[2], ErrorCode::TIMEOUT, 1, "Rank 0 ended the group");
}

}  // namespace
}  // namespace lockstep::test

// What two and more healthy ranks do with each other over TCP.

#include <gtest/gtest.h>

#include "tcp_group.h"
#include "transport/messages/mailbox.h"

namespace lockstep::test {
namespace {

using std::chrono::seconds;

constexpr std::uint32_t SMALL_FRAME = 64;

void expect_no_errors(const std::vector<std::optional<Error>>& errors) {
  for (std::size_t rank = 0; rank < errors.size(); ++rank) {
    EXPECT_FALSE(errors[rank]) << "rank " << rank << ": " << errors[rank]->what();
  }
}

TEST(TcpMessages, ArriveWholeWhateverTheirSize) {
  TcpGroup group(2);
  group.options.frame_payload_limit = SMALL_FRAME;
  const std::vector<std::size_t> sizes = {
      0, 1, SMALL_FRAME - 1, SMALL_FRAME, SMALL_FRAME + 1, 5 * SMALL_FRAME, 1000, 100000};
  expect_no_errors(group.run([&](Transport& transport, const Deadline& deadline) {
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      auto sent = pattern(sizes[i], static_cast<unsigned>(i));
      if (transport.rank() == 0) {
        send(transport, 1, collective(i + 1, sizes[i]), sent, deadline);
      } else {
        std::vector<std::byte> received(sizes[i]);
        EXPECT_EQ(0, receive(transport, 0, collective(i + 1, sizes[i]), received, deadline));
        EXPECT_EQ(sent, received);
      }
    }
  }));
}

// Large enough to take turns on the streams, and of sizes so different that they overtake each other there.
TEST(TcpMessages, OnSeveralStreamsGoToTheirReceives) {
  TcpGroup group(2);
  group.options.streams = 3;
  auto size = [](unsigned i) { return std::size_t{256 << 10} + (i % 3 == 0 ? 4'000'000U : i); };
  constexpr unsigned MESSAGES = 30;
  expect_no_errors(group.run([&](Transport& transport, const Deadline& deadline) {
    std::vector<std::vector<std::byte>> data;
    std::vector<Transport::Ticket> tickets;
    for (unsigned i = 0; i < MESSAGES; ++i) {
      const bool sends = transport.rank() == 0;
      data.push_back(sends ? pattern(size(i), i) : std::vector<std::byte>(size(i)));
      const Signature signature = collective(i + 1, size(i));
      tickets.push_back(sends ? transport.post_send(1, signature, data[i].data(), size(i))
                              : transport.post_receive(0, signature, data[i].data(), size(i)));
    }
    transport.wait_all(tickets, deadline);
    for (unsigned i = 0; i < MESSAGES; ++i) EXPECT_EQ(pattern(size(i), i), data[i]) << "message " << i;
  }));
}

/// What is in a frame that arrives at once.
void arrive(tcp::Mailbox& mailbox, tcp::StreamId lane, std::uint32_t number, std::uint8_t value) {
  tcp::FrameHeader header;
  header.source = lane.peer;
  header.signature = collective(1, 2);
  header.total = header.payload = 1;
  header.number = number;
  mailbox.begin_frame(lane, header);
  *mailbox.place(lane, 0) = std::byte{value};
  mailbox.end_frame(lane);
}

TEST(Mailbox, MatchesMessagesThatOvertakeByTheirNumbers) {
  tcp::Mailbox mailbox(0, 2, 3);
  mailbox.enter(collective(1, 2));
  std::array<std::byte, 4> memory{};
  std::array<tcp::Post, 4> posts;
  auto post = [&](std::size_t i) {
    posts[i].peer = 1;
    posts[i].signature = collective(1, 2);
    posts[i].data = &memory[i];
    posts[i].bytes = 1;
    mailbox.post(posts[i]);
  };
  post(0);
  post(1);
  arrive(mailbox, {1, 1}, 1, 11);  // before number 0
  arrive(mailbox, {1, 2}, 3, 13);  // before its receive, and before number 2
  arrive(mailbox, {1, 0}, 0, 10);
  post(2);
  arrive(mailbox, {1, 0}, 2, 12);
  post(3);
  for (std::size_t i = 0; i < posts.size(); ++i) {
    EXPECT_TRUE(posts[i].complete) << i;
    EXPECT_EQ(std::byte{static_cast<std::uint8_t>(10 + i)}, memory[i]);
  }
}

TEST(TcpMessages, AreKeptUntilSomeoneAsks) {
  TcpGroup group(2);
  group.options.frame_payload_limit = SMALL_FRAME;
  expect_no_errors(group.run([&](Transport& transport, const Deadline& deadline) {
    std::vector<std::byte> nothing;
    if (transport.rank() == 0) {
      for (int tag = 0; tag < 4; ++tag)
        send(transport, 1, message(tag, 1000), pattern(1000, 10 + tag), deadline);
      send(transport, 1, collective(1, 300), pattern(300, 5), deadline);
      send(transport, 1, message(9, 0), nothing, deadline);
    } else {
      receive(transport, 0, message(9, 0), nothing, deadline);
      std::vector<std::byte> received(300);
      receive(transport, 0, collective(1, 300), received, deadline);
      EXPECT_EQ(pattern(300, 5), received);
      received.resize(1000);
      for (int tag = 3; tag >= 0; --tag) {
        receive(transport, 0, message(tag, 1000), received, deadline);
        EXPECT_EQ(pattern(1000, 10 + tag), received);
      }
    }
  }));
}

TEST(TcpMessages, OfOneTagStayInOrder) {
  TcpGroup group(2);
  expect_no_errors(group.run([&](Transport& transport, const Deadline& deadline) {
    for (unsigned i = 0; i < 200; ++i) {
      std::vector<std::byte> bytes = pattern(16, i);
      if (transport.rank() == 0) {
        send(transport, 1, message(3, 16), bytes, deadline);
      } else {
        std::vector<std::byte> received(16);
        receive(transport, 0, message(3, 16), received, deadline);
        ASSERT_EQ(bytes, received) << i;
      }
    }
  }));
}

TEST(TcpMessages, FromAnyRankSayWhoSentThem) {
  TcpGroup group(4);
  expect_no_errors(group.run([&](Transport& transport, const Deadline& deadline) {
    if (transport.rank() != 0) {
      send(transport, 0, message(1, 500), pattern(500, static_cast<unsigned>(transport.rank())), deadline);
      return;
    }
    std::vector<int> seen(4);
    for (int i = 0; i < 3; ++i) {
      std::vector<std::byte> received(500);
      int source = receive(transport, Transport::ANY, message(1, 500), received, deadline);
      EXPECT_EQ(pattern(500, static_cast<unsigned>(source)), received);
      ++seen[static_cast<std::size_t>(source)];
    }
    EXPECT_EQ((std::vector<int>{0, 1, 1, 1}), seen);
  }));
}

TEST(TcpMessages, CrossWhenBothSidesSendFirst) {
  TcpGroup group(2);
  constexpr std::size_t SIZE = 64U << 20;
  expect_no_errors(group.run([&](Transport& transport, const Deadline& deadline) {
    int peer = 1 - transport.rank();
    std::vector<std::byte> own(SIZE, static_cast<std::byte>(transport.rank() + 1));
    send(transport, peer, message(0, SIZE), own, deadline);
    std::vector<std::byte> received(SIZE);
    receive(transport, peer, message(0, SIZE), received, deadline);
    EXPECT_EQ(std::vector<std::byte>(SIZE, static_cast<std::byte>(peer + 1)), received);
  }));
}

// A receive that is posted in the middle of a message takes over what has come.
TEST(TcpMessages, AreTakenOverInTheMiddle) {
  TcpGroup group(3);
  constexpr std::size_t SIZE = 8U << 20;
  expect_no_errors(group.run([&](Transport& transport, const Deadline& deadline) {
    std::vector<std::byte> nothing;
    std::vector<std::byte> large = pattern(SIZE, 1);
    if (transport.rank() == 0) {
      for (int round = 0; round < 10; ++round) {
        // Rank 2's message comes while rank 1's large one is on its way.
        receive(transport, 2, message(0, 0), nothing, deadline);
        std::vector<std::byte> received(SIZE);
        receive(transport, 1, message(1, SIZE), received, deadline);
        ASSERT_TRUE(large == received) << round;
      }
    } else {
      for (int round = 0; round < 10; ++round) {
        if (transport.rank() == 1) {
          send(transport, 0, message(1, SIZE), large, deadline);
        } else {
          send(transport, 0, message(0, 0), nothing, deadline);
        }
      }
    }
  }));
}

TEST(TcpMessages, DoNotGetLostWhenTheSenderLeavesAtOnce) {
  TcpGroup group(2);
  constexpr std::size_t SIZE = 1U << 20;
  std::atomic<bool> left{false};
  expect_no_errors(group.run([&](Transport& transport, const Deadline& deadline) {
    std::vector<std::byte> bytes = pattern(SIZE, 4);
    if (transport.rank() == 0) {
      send(transport, 1, message(0, SIZE), bytes, deadline);
      transport.close();
      left = true;
    } else {
      while (!left) std::this_thread::yield();
      std::vector<std::byte> received(SIZE);
      receive(transport, 0, message(0, SIZE), received, deadline);
      EXPECT_TRUE(bytes == received);
    }
  }));
}

TEST(TcpSplit, GivesSubGroupsWithConnectionsOfTheirOwn) {
  TcpGroup group(5);
  expect_no_errors(group.run([&](Transport& transport, const Deadline& deadline) {
    // Odd ranks in reverse order; of the even ones rank 4 takes no part.
    const std::vector<int> odd = {3, 1};
    const std::vector<int> even = {0, 2};
    bool is_odd = transport.rank() % 2 == 1;
    std::vector<int> members = is_odd ? odd : even;
    if (transport.rank() == 4) members.clear();
    auto sub_group = transport.split(members, deadline);
    if (transport.rank() == 4) {
      EXPECT_EQ(nullptr, sub_group);
      return;
    }
    ASSERT_EQ(2, sub_group->size());
    EXPECT_EQ(transport.rank(), members[static_cast<std::size_t>(sub_group->rank())]);
    transport.close();  // the sub-group lives on
    int peer = 1 - sub_group->rank();
    std::vector<std::byte> received(100);
    if (sub_group->rank() == 0) send(*sub_group, peer, message(0, 100), pattern(100, is_odd), deadline);
    if (sub_group->rank() == 1) {
      receive(*sub_group, peer, message(0, 100), received, deadline);
      EXPECT_EQ(pattern(100, is_odd), received);
    }
    auto alone = sub_group->split(std::vector<int>{sub_group->rank()}, deadline);
    EXPECT_EQ(1, alone->size());
  }));
}

TEST(TcpGroupOfOne, NeedsNoPort) {
  TcpGroup group(1);
  group.options.master_address = "192.0.2.1";  // of nobody (RFC 5737)
  expect_no_errors(group.run([&](Transport& transport, const Deadline&) { EXPECT_EQ(1, transport.size()); }));
}

TEST(TcpAddresses, MayBeNamesAndIpv6) {
  for (std::string address : {"localhost", "::1"}) {
    SCOPED_TRACE(address);
    TcpGroup group(3);
    group.options.master_address = address;
    expect_no_errors(group.run([&](Transport& transport, const Deadline& deadline) {
      std::vector<std::byte> byte(1);
      int next = (transport.rank() + 1) % 3;
      int previous = (transport.rank() + 2) % 3;
      send(transport, next, message(0, 1), byte, deadline);
      receive(transport, previous, message(0, 1), byte, deadline);
    }));
  }
}

}  // namespace
}  // namespace lockstep::test

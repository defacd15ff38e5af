// Ranks over TCP that call different operations, and ranks that leave while others still listen.

#include <gtest/gtest.h>

#include <future>

#include "core/log.h"
#include "tcp_group.h"

namespace lockstep::test {
namespace {

Signature broadcast_from(int root, std::uint64_t sequence, std::size_t bytes) {
  Signature signature = collective(sequence, bytes, Operation::BROADCAST);
  signature.root = root;
  return signature;
}

TEST(TcpDisagreement, IsToldToBothSides) {
  TcpGroup group(2);
  auto errors = group.run([](Transport& transport, const Deadline& deadline) {
    std::size_t size = transport.rank() == 0 ? 100 : 200;
    int peer = 1 - transport.rank();
    std::vector<std::byte> sent(size), received(size);
    send(transport, peer, collective(1, size), sent, deadline);
    receive(transport, peer, collective(1, size), received, deadline);
  });
  for (int rank = 0; rank < 2; ++rank) {
    ASSERT_TRUE(errors[rank]);
    EXPECT_EQ(ErrorCode::MISMATCH, errors[rank]->code());
    std::string text = errors[rank]->what();
    EXPECT_NE(std::string::npos, text.find("100")) << text;
    EXPECT_NE(std::string::npos, text.find("200")) << text;
  }
}

TEST(TcpDisagreement, AboutALengthIsToldToBothSides) {
  TcpGroup group(2);
  auto errors = group.run([](Transport& transport, const Deadline& deadline) {
    std::vector<std::byte> bytes(transport.rank() == 0 ? 10 : 20);
    if (transport.rank() == 0) send(transport, 1, message(0, 0), bytes, deadline);
    if (transport.rank() == 1) receive(transport, 0, message(0, 0), bytes, deadline);
    wait_forever(transport, 1 - transport.rank(), deadline);
  });
  expect_error(errors[0], ErrorCode::MISMATCH, 0, "10 bytes");
  expect_error(errors[1], ErrorCode::MISMATCH, 0, "10 bytes");
}

TEST(TcpDisagreement, IsFoundWhenAllWait) {
  TcpGroup group(2);
  auto errors = group.run([](Transport& transport, const Deadline& deadline) {
    // Each takes the other for the root of a broadcast.
    int root = 1 - transport.rank();
    Signature broadcast = collective(1, 8, Operation::BROADCAST);
    broadcast.root = root;
    std::vector<std::byte> bytes(8);
    receive(transport, root, broadcast, bytes, deadline);
  });
  for (const auto& error : errors) {
    ASSERT_TRUE(error);
    EXPECT_EQ(ErrorCode::MISMATCH, error->code()) << error->what();
  }
}

// Each takes itself for the root, so that no receive ever meets the other's message.
TEST(TcpDisagreement, IsFoundWhenAllOnlySend) {
  TcpGroup group(2);
  auto errors = group.run([](Transport& transport, const Deadline& deadline) {
    std::vector<std::byte> bytes(8);
    send(transport, 1 - transport.rank(), broadcast_from(transport.rank(), 1, 8), bytes, deadline);
    // Any later wait looks at what has come; it need not be a collective.
    wait_forever(transport, 1 - transport.rank(), deadline);
  });
  for (const auto& error : errors) {
    ASSERT_TRUE(error);
    EXPECT_EQ(ErrorCode::MISMATCH, error->code()) << error->what();
  }
}

TEST(TcpDisagreement, IsFoundInTheNextCollective) {
  TcpGroup group(3);
  std::promise<void> sent;
  std::shared_future<void> has_sent = sent.get_future().share();
  auto errors = group.run([&](Transport& transport, const Deadline& deadline) {
    std::vector<std::byte> bytes(8);
    if (transport.rank() == 1) {
      send(transport, 0, broadcast_from(1, 1, 8), bytes, deadline);
      send(transport, 0, message(1, 8), bytes, deadline);
      sent.set_value();
      wait_forever(transport, 0, deadline);
    }
    has_sent.wait();
    if (transport.rank() == 2) wait_forever(transport, 0, deadline);
    // Behind it on the same connection, so that the broadcast has come too when rank 0 calls its collective.
    receive(transport, 1, message(1, 8), bytes, deadline);
    receive(transport, 2, collective(1, 8, Operation::REDUCE), bytes, deadline);
  });
  expect_error(errors[0], ErrorCode::MISMATCH, 1, "broadcast #1");
  expect_error(errors[1], ErrorCode::MISMATCH, 1, "reduce #1");
  expect_error(errors[2], ErrorCode::MISMATCH, 1, "Rank 0 ended the group");
}

std::string notices() {
  std::string all;
  for (std::string line = take_notice(); !line.empty(); line = take_notice()) all += line + "\n";
  return all;
}

TEST(TcpDisagreement, ThatIsFoundAtTheEndIsInTheLog) {
  notices();
  TcpGroup group(2);
  auto errors = group.run([&](Transport& transport, const Deadline& deadline) {
    std::vector<std::byte> bytes(8);
    if (transport.rank() == 0) {
      send(transport, 1, broadcast_from(0, 1, 8), bytes, deadline);
      send(transport, 1, message(1, 8), bytes, deadline);
    } else {
      receive(transport, 0, message(1, 8), bytes, deadline);
    }
    transport.close();
  });
  for (const auto& error : errors) EXPECT_FALSE(error) << error->what();
  std::string text = notices();
  EXPECT_NE(std::string::npos, text.find("WARN When rank 1 left its group: rank 0 called broadcast #1"))
      << text;
}

// Rank 1 listens only when rank 0's close() has returned, or has waited for longer than any fixed patience.
TEST(TcpLeaving, WaitsForWhatWasSentToBeTakenIn) {
  TcpGroup group(2);
  std::promise<void> closed;
  auto errors = group.run([&](Transport& transport, const Deadline& deadline) {
    // More than the sockets' buffers hold.
    std::vector<std::byte> bytes(64U << 20);
    if (transport.rank() == 0) {
      transport.post_send(1, broadcast_from(0, 1, bytes.size()), bytes.data(), bytes.size());
      transport.close();
      closed.set_value();
      return;
    }
    EXPECT_EQ(std::future_status::timeout, closed.get_future().wait_for(std::chrono::milliseconds(1500)));
    receive(transport, 0, broadcast_from(0, 1, bytes.size()), bytes, deadline);
    wait_forever(transport, 0, deadline);
  });
  EXPECT_FALSE(errors[0]) << errors[0]->what();
  expect_error(errors[1], ErrorCode::PEER_FAILED, 0, "Rank 0 has left the group");
}

}  // namespace
}  // namespace lockstep::test

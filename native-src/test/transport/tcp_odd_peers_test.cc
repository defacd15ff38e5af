// A transport among peers that are sockets of the test, which say what no healthy rank says, or when.

#include <gtest/gtest.h>
#include <malloc.h>
#include <poll.h>
#include <sys/socket.h>

#include "tcp_group.h"
#include "transport/tcp/mesh/mesh_transport.h"
#include "transport/tcp/wire/control.h"
#include "transport/tcp/wire/control_frame.h"

namespace lockstep::test {
namespace {

using tcp::FrameKind;

/// Rank `rank` of a group whose other ranks are the test.
class AmongOddPeers {
 public:
  AmongOddPeers(int rank, int size) : listener_(tcp::listen_on(tcp::resolve("127.0.0.1", 0).front())) {
    tcp::Mesh mesh;
    mesh.rank = rank;
    mesh.roster.assign(static_cast<std::size_t>(size), where());
    mesh.acceptor = std::make_shared<tcp::Acceptor>(std::vector<tcp::Descriptor>(), rank, TOKEN,
                                                    std::chrono::seconds(20));
    for (int peer = 0; peer < size; ++peer) {
      peers_.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      if (::connect(peers_.back().get(), where().address(), where().size()) != 0) std::abort();
      mesh.connections.push_back(accept());
    }
    mesh.connections[static_cast<std::size_t>(rank)].reset();
    TcpOptions options;
    options.world_size = size;
    options.timeout_seconds = 20;
    transport_ = std::make_unique<tcp::MeshTransport>(std::move(mesh), options);
  }

  tcp::Endpoint where() const { return tcp::Endpoint::local(listener_.get()); }

  /// Blocks until the rank under test connects once more.
  tcp::Descriptor accept() {
    pollfd entry{listener_.get(), POLLIN, 0};
    ::poll(&entry, 1, 20'000);
    return tcp::Descriptor(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  }

  tcp::MeshTransport& transport() { return *transport_; }
  const Deadline& deadline() const { return deadline_; }

  void say(int peer, std::span<const std::byte> bytes) { tcp::write_all(socket(peer), bytes, deadline_); }
  void say_data(int peer, const Signature& signature, std::size_t bytes) {
    tcp::FrameHeader header;
    header.source = peer;
    header.signature = signature;
    header.total = bytes;
    header.payload = static_cast<std::uint32_t>(bytes);
    tcp::FrameHeaderBytes head;
    tcp::encode_frame(header, head);
    say(peer, head);
    say(peer, std::vector<std::byte>(bytes));
  }
  void say_abort(int peer, int origin, const tcp::AbortNotice& notice) {
    say(peer, tcp::control_bytes(FrameKind::ABORT, origin, tcp::encode_abort(notice)));
  }

  /// The peer sends no more. @return once the rank under test has noticed, and has cut the connection
  void fall_silent(int peer) {
    ::shutdown(socket(peer), SHUT_WR);
    std::byte byte;
    tcp::read_exactly(socket(peer), std::span(&byte, 1), deadline_);
  }
  void reset(int peer) {
    linger at_once{1, 0};
    ::setsockopt(socket(peer), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    peers_[static_cast<std::size_t>(peer)].reset();
  }

  bool hears(int peer, int milliseconds) const {
    pollfd entry{socket(peer), POLLIN, 0};
    return ::poll(&entry, 1, milliseconds) == 1;
  }
  /// The next notice that the peer hears.
  tcp::ControlFrame hear(int peer) {
    tcp::ControlFrame frame;
    EXPECT_EQ(tcp::Step::DONE, tcp::read_control(socket(peer), frame, deadline_));
    return frame;
  }

  /// What a receive from `peer` throws, while `meanwhile` runs.
  Error error_of_receive(int peer, const std::function<void()>& meanwhile) {
    std::thread other(meanwhile);
    std::vector<std::byte> bytes(8);
    Error error(ErrorCode::SYSTEM, "nothing was thrown");
    try {
      receive(transport(), peer, message(77, 8), bytes, deadline_);
    } catch (const Error& thrown) {
      error = thrown;
    }
    other.join();
    return error;
  }

  static constexpr const char* TOKEN = "a token";

 private:
  int socket(int peer) const { return peers_[static_cast<std::size_t>(peer)].get(); }

  Watchdog watchdog_{std::chrono::seconds(60)};
  std::atomic<bool> never_{false};
  Deadline deadline_{std::chrono::seconds(20), never_};
  tcp::Descriptor listener_;
  std::vector<tcp::Descriptor> peers_;
  std::unique_ptr<tcp::MeshTransport> transport_;
};

void expect(const Error& error, ErrorCode code, int rank, const std::string& words) {
  EXPECT_EQ(code, error.code()) << error.what();
  EXPECT_EQ(rank, error.rank()) << error.what();
  EXPECT_NE(std::string::npos, std::string(error.what()).find(words)) << error.what();
}

TEST(OddPeer, ThatPutsAPayloadIntoItsGoodbyeIsBroken) {
  AmongOddPeers rank_0(0, 2);
  Error error = rank_0.error_of_receive(1, [&] {
    std::vector<std::byte> eight(8);
    rank_0.say(1, tcp::control_bytes(FrameKind::GOODBYE, 1, eight));
    rank_0.say_data(1, message(77, 100000), 100000);
  });
  expect(error, ErrorCode::PEER_FAILED, 1, "a payload that frames of its kind do not have");
}

TEST(OddPeer, ThatGoesOnAfterItsGoodbyeIsBroken) {
  AmongOddPeers rank_0(0, 3);
  Error error = rank_0.error_of_receive(2, [&] {
    rank_0.say(1, tcp::control_bytes(FrameKind::GOODBYE, 1, {}));
    rank_0.say_data(1, message(1, 8), 8);
  });
  expect(error, ErrorCode::PEER_FAILED, 1, "do not follow one another");
}

TEST(OddPeer, WhoseNoticeComesInPiecesIsBroken) {
  AmongOddPeers rank_0(0, 2);
  tcp::FrameHeader header;
  header.kind = FrameKind::ABORT;
  header.source = 1;
  header.total = 100;
  header.payload = 50;
  tcp::FrameHeaderBytes head;
  tcp::encode_frame(header, head);
  Error error = rank_0.error_of_receive(1, [&] { rank_0.say(1, head); });
  expect(error, ErrorCode::PEER_FAILED, 1, "a notice in pieces");
}

TEST(Notice, IsRelayedAsItWas) {
  AmongOddPeers rank_0(0, 4);
  Error error = rank_0.error_of_receive(3, [&] {
    rank_0.say_abort(1, 1, {ErrorCode::PEER_FAILED, 2, "Rank 2 died."});
  });
  expect(error, ErrorCode::PEER_FAILED, 2, "Rank 1 ended the group: Rank 2 died.");
  tcp::ControlFrame heard = rank_0.hear(3);
  EXPECT_EQ(FrameKind::ABORT, heard.header.kind);
  EXPECT_EQ(1, heard.header.source);
  auto notice = tcp::parse_abort(heard.payload, 4);
  ASSERT_TRUE(notice);
  EXPECT_EQ(2, notice->rank);
  EXPECT_EQ("Rank 2 died.", notice->message);
}

TEST(Notice, OfARankThatDoesNotExistBlamesItsSender) {
  AmongOddPeers rank_0(0, 2);
  Error error = rank_0.error_of_receive(1, [&] { rank_0.say_abort(1, 1, {ErrorCode::SYSTEM, 99, "odd"}); });
  expect(error, ErrorCode::SYSTEM, 1, "Rank 1 ended the group: odd");
}

TEST(Notice, ThatComesAfterTheLossOfALivingRankNamesTheDeadOne) {
  AmongOddPeers rank_0(0, 4);
  Error error = rank_0.error_of_receive(3, [&] {
    rank_0.fall_silent(1);
    EXPECT_FALSE(rank_0.hears(3, 20)) << "rank 0 has judged at once";
    rank_0.say_abort(2, 2, {ErrorCode::PEER_FAILED, 3, "Rank 3 died."});
  });
  expect(error, ErrorCode::PEER_FAILED, 3, "Rank 2 ended the group: Rank 3 died.");
}

TEST(Notice, ThatBlamesARankThatWaitsItselfLeadsToWhomItWaitsFor) {
  AmongOddPeers rank_0(0, 4);
  Error error = rank_0.error_of_receive(3, [&] {
    EXPECT_EQ(FrameKind::INQUIRY, rank_0.hear(1).header.kind);
    rank_0.say_abort(1, 1, {ErrorCode::TIMEOUT, 0, "Rank 1 waited for rank 0."});
  });
  expect(error, ErrorCode::TIMEOUT, 3, "Rank 1 waited for rank 0. Rank 0 itself waited for rank 3 in ");
}

TEST(Notice, ThatBlamesARankThatHasJustComeStands) {
  AmongOddPeers rank_0(0, 4);
  rank_0.say_abort(1, 1, {ErrorCode::TIMEOUT, 0, "Rank 1 waited for rank 0."});
  Error error = rank_0.error_of_receive(3, [] {});
  expect(error, ErrorCode::TIMEOUT, 0, "Rank 1 ended the group: Rank 1 waited for rank 0.");
}

TEST(Loss, ByAResetCountsMoreThanOneByAnEnd) {
  AmongOddPeers rank_0(0, 3);
  Error error = rank_0.error_of_receive(1, [&] {
    rank_0.fall_silent(1);
    rank_0.reset(2);
  });
  expect(error, ErrorCode::PEER_FAILED, 2, "Rank 2 died");
}

/// Rank 0 as the acceptor of a member, whom it refuses.
void refuse_a_member(AmongOddPeers& group, const std::string& token = AmongOddPeers::TOKEN) {
  tcp::Descriptor socket = group.accept();
  tcp::Challenge challenge{tcp::PROTOCOL_VERSION, tcp::random_nonce()};
  tcp::write_all(socket.get(), tcp::encode_challenge(challenge), group.deadline());
  std::array<std::byte, tcp::HELLO_BYTES> bytes;
  tcp::read_exactly(socket.get(), bytes, group.deadline());
  auto hello = tcp::parse_hello(bytes);
  ASSERT_TRUE(hello);
  auto reply = tcp::encode_reply({tcp::Verdict::NOT_EXPECTED, tcp::PROTOCOL_VERSION, 2}, *hello,
                                 challenge.nonce, token);
  tcp::write_all(socket.get(), reply, group.deadline());
  std::byte byte;
  // The rank under test has heard the refusal once it closes the connection.
  tcp::read_exactly(socket.get(), std::span(&byte, 1), group.deadline());
}

TEST(Split, DoesNotBelieveARefusalWithoutAProofOfTheToken) {
  AmongOddPeers rank_1(1, 3);
  std::thread rank_0([&] { refuse_a_member(rank_1, "another token"); });
  const std::vector<int> members{0, 1};
  try {
    rank_1.transport().split(members, rank_1.deadline());
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("does not have this job's token"), std::string::npos)
        << error.what();
  }
  rank_0.join();
}

TEST(Split, ThatIsRefusedNamesWhatTheRefusingRankDiedOf) {
  AmongOddPeers rank_1(1, 3);
  std::thread rank_0([&] {
    refuse_a_member(rank_1);
    rank_1.say_abort(0, 0, {ErrorCode::PEER_FAILED, 2, "Rank 2 died."});
  });
  const std::vector<int> members{0, 1};
  try {
    rank_1.transport().split(members, rank_1.deadline());
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    expect(error, ErrorCode::PEER_FAILED, 2, "Rank 0 ended the group: Rank 2 died.");
  }
  rank_0.join();
}

// Sanitizers count no memory here, so that the test says nothing under them.
TEST(TcpAcceptor, RemembersNoEndOfGroups) {
  tcp::Acceptor acceptor({}, 1, "a token", std::chrono::seconds(1));
  for (std::uint64_t group = 1; group < 5000; ++group) acceptor.finish(group << 20);
  const auto before = ::mallinfo2().uordblks;
  for (std::uint64_t group = 5000; group < 105'000; ++group) acceptor.finish(group << 20);
  EXPECT_LT(::mallinfo2().uordblks, before + (64 << 10));
}

}  // namespace
}  // namespace lockstep::test

// Groups of several hosts: ranks are threads, and each is told on which host it is.

#include "collective/hosts/hosts.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <string>
#include <vector>

#include "call.h"
#include "channel/wire.h"
#include "collective/backend/transport_backend.h"
#include "collective/choice/tuning.h"
#include "expected.h"
#include "ranks.h"
#include "sanitized.h"
#include "tcp_group.h"
#include "typed_data.h"

namespace lockstep::test {
namespace {

/// The host of each rank.
using Placement = std::vector<int>;

/// Counts what a rank sends to other hosts.
struct Traffic {
  std::atomic<std::size_t> bytes{0};
};

/// Passes everything on to `inner`.
class CountingTransport : public Transport {
 public:
  CountingTransport(std::unique_ptr<Transport> inner, Placement placement, Traffic& traffic)
      : inner_(std::move(inner)), placement_(std::move(placement)), traffic_(traffic) {}

  int rank() const override { return inner_->rank(); }
  int size() const override { return inner_->size(); }
  std::string name() const override { return inner_->name(); }
  lockstep::Traffic* traffic() override { return inner_->traffic(); }
  std::unique_ptr<Wire> take_wire() override { return inner_->take_wire(); }
  Ticket post_send(int peer, const Signature& signature, const void* data, std::size_t bytes) override {
    if (host_of(peer) != host_of(rank())) traffic_.bytes += bytes;
    return inner_->post_send(peer, signature, data, bytes);
  }
  Ticket post_receive(int peer, const Signature& signature, void* data, std::size_t bytes) override {
    return inner_->post_receive(peer, signature, data, bytes);
  }
  int wait(Ticket ticket, const Deadline& deadline) override { return inner_->wait(ticket, deadline); }
  void abort(const Error& reason) noexcept override { inner_->abort(reason); }
  void close() noexcept override { inner_->close(); }
  std::unique_ptr<Transport> split(std::span<const int> members, const Deadline& deadline) override {
    std::unique_ptr<Transport> child = inner_->split(members, deadline);
    if (child == nullptr) return nullptr;
    Placement placement;
    for (int member : members) placement.push_back(host_of(member));
    return std::make_unique<CountingTransport>(std::move(child), std::move(placement), traffic_);
  }

 private:
  int host_of(int peer) const { return placement_[static_cast<std::size_t>(peer)]; }

  std::unique_ptr<Transport> inner_;
  Placement placement_;
  Traffic& traffic_;
};

void run_on_hosts(const Placement& placement, Traffic& traffic, double timeout,
                  const std::function<void(Communicator&)>& body) {
  const int ranks = static_cast<int>(placement.size());
  std::latch formed(ranks);
  run_as_ranks(ranks, [&](int rank) {
    static const std::atomic<bool> never{false};
    const Deadline deadline(std::chrono::duration<double>(PATIENCE), never);
    auto transport =
        std::make_unique<CountingTransport>(join_in_process_only("", rank, ranks), placement, traffic);
    HostOptions options;
    options.memory = SMALL_PIECES;
    options.host = "host " + std::to_string(placement[static_cast<std::size_t>(rank)]);
    Communicator group(share_hosts(make_backend(std::move(transport)), false, options, deadline), timeout);
    // A failure must not meet ranks that are still forming their group, or still in the end of its first
    // barrier.
    run(group, {.operation = Operation::BARRIER});
    formed.arrive_and_wait();
    body(group);
  });
}

class Hosts : public testing::TestWithParam<Placement> {};

INSTANTIATE_TEST_SUITE_P(Placements, Hosts,
                         testing::Values(Placement{0, 0}, Placement{0, 0, 1, 1}, Placement{0, 1, 0, 1},
                                         Placement{0, 0, 0, 1}, Placement{0, 0, 1, 1, 2, 2},
                                         Placement{0, 1, 1, 2, 2, 2}, Placement{1, 0, 0, 1, 2, 0, 1}));

TEST_P(Hosts, ReduceEveryTypeByEveryOperation) {
  Traffic traffic;
  run_on_hosts(GetParam(), traffic, PATIENCE, [](Communicator& group) {
    for (DataType type : TYPES) {
      for (ReduceOp op : OPS) {
        for (std::size_t count : {0, 1, 3, 1000, 5001}) {
          SCOPED_TRACE(name_of(type) + " " + name_of(op) + " " + std::to_string(count));
          const Bytes expected = reduced(group.size(), 0, count, type, op);
          Bytes data = encode(values(group.rank(), 0, count, op), type);
          run(group, {.operation = Operation::ALL_REDUCE,
                      .type = type,
                      .op = op,
                      .input = data.data(),
                      .output = data.data(),
                      .count = count});
          EXPECT_EQ(data, expected);
          const int root = static_cast<int>(count) % group.size();
          const bool at_root = group.rank() == root;
          const Bytes input = encode(values(group.rank(), 0, count, op), type);
          Bytes output(input.size());
          run(group, {.operation = Operation::REDUCE,
                      .type = type,
                      .op = op,
                      .root_or_peer = root,
                      .input = input.data(),
                      .output = at_root ? output.data() : nullptr,
                      .count = count});
          EXPECT_EQ(output, at_root ? expected : Bytes(input.size()));
        }
      }
    }
  });
}

bool is_tried(DataType type, ReduceOp op) {
  return !IS_SANITIZED || ((type == DataType::F32 || type == DataType::F16) &&
                           (op == ReduceOp::SUM || op == ReduceOp::AVERAGE));
}

// Of hosts with as many ranks each, every rank sends its own slice between hosts.
TEST_P(Hosts, ReduceLongVectorsInPlaceAndOutOfPlace) {
  Traffic traffic;
  run_on_hosts(GetParam(), traffic, PATIENCE, [](Communicator& group) {
    constexpr std::size_t COUNT = 70'001;  // above 64 KiB of every type, and divisible by no number of ranks
    for (DataType type : TYPES) {
      for (ReduceOp op : OPS) {
        if (!is_tried(type, op)) continue;
        SCOPED_TRACE(name_of(type) + " " + name_of(op));
        const Bytes expected = reduced(group.size(), 0, COUNT, type, op);
        Bytes data = encode(values(group.rank(), 0, COUNT, op), type);
        const Bytes input = data;
        Bytes output(input.size());
        Call call{.operation = Operation::ALL_REDUCE,
                  .type = type,
                  .op = op,
                  .input = data.data(),
                  .output = data.data(),
                  .count = COUNT};
        run(group, call);
        EXPECT_EQ(data, expected);
        call.input = input.data();
        call.output = output.data();
        run(group, call);
        EXPECT_EQ(output, expected);
      }
    }
  });
}

/// Short messages make the pieces short, too: of two hosts with two ranks each, four of 256 KiB. Of three
/// such hosts, one slice of the shorter vector is 512 KiB long, from where a ring is the fastest, and the
/// other one element less.
void reduce_in_many_pieces(Communicator& group) {
  group.use_tuning(format_tuning({.segment_bytes = 16 << 10}), "test");
  for (std::size_t count : {262'143, 280'001}) {
    for (DataType type : {DataType::F32, DataType::F16}) {
      for (ReduceOp op : {ReduceOp::SUM, ReduceOp::AVERAGE}) {
        const bool is_short = count == 262'143;
        if (IS_SANITIZED && (is_short != (type == DataType::F32) || is_short != (op == ReduceOp::SUM)))
          continue;
        SCOPED_TRACE(name_of(type) + " " + name_of(op) + " " + std::to_string(count));
        const Bytes expected = reduced(group.size(), 0, count, type, op);
        Bytes data = encode(values(group.rank(), 0, count, op), type);
        run(group, {.operation = Operation::ALL_REDUCE,
                    .type = type,
                    .op = op,
                    .input = data.data(),
                    .output = data.data(),
                    .count = count});
        EXPECT_EQ(data, expected);
      }
    }
  }
}

TEST_P(Hosts, ReduceVectorsOfManyPieces) {
  Traffic traffic;
  run_on_hosts(GetParam(), traffic, PATIENCE, reduce_in_many_pieces);
}

// Each message between two ranks may take another of their connections.
TEST(HostsOverTcp, ReduceVectorsOfManyPieces) {
  TcpOptions options;
  options.world_size = 4;
  options.master_address = "127.0.0.1";
  options.master_port = free_port();
  options.token = "a token of the tests";
  options.timeout_seconds = PATIENCE;
  run_as_ranks(options.world_size, [&](int rank) {
    static const std::atomic<bool> never{false};
    const Deadline deadline(std::chrono::duration<double>(PATIENCE), never);
    TcpOptions own = options;
    own.rank = rank;
    HostOptions hosts;
    hosts.memory = SMALL_PIECES;
    hosts.host = "host " + std::to_string(rank / 2);
    Communicator group(share_hosts(make_backend(connect_tcp(own)), false, hosts, deadline), PATIENCE);
    reduce_in_many_pieces(group);
    run(group, {.operation = Operation::BARRIER});
  });
}

TEST_P(Hosts, BroadcastFromEveryRank) {
  Traffic traffic;
  run_on_hosts(GetParam(), traffic, PATIENCE, [](Communicator& group) {
    for (int root = 0; root < group.size(); ++root) {
      for (std::size_t count : {0, 1, 5001}) {
        const Bytes expected = plain(root, 0, count, DataType::I32);
        Bytes output(expected.size());
        run(group, {.operation = Operation::BROADCAST,
                    .type = DataType::I32,
                    .root_or_peer = root,
                    .input = group.rank() == root ? expected.data() : nullptr,
                    .output = output.data(),
                    .count = count});
        EXPECT_EQ(output, expected);
        run(group, {.operation = Operation::BARRIER});
      }
    }
  });
}

TEST_P(Hosts, AllGatherTakesTheFlatWay) {
  Traffic traffic;
  run_on_hosts(GetParam(), traffic, PATIENCE, [](Communicator& group) {
    const std::int64_t own = group.rank() * 7;
    std::vector<std::int64_t> all(static_cast<std::size_t>(group.size()));
    run(group, {.operation = Operation::ALL_GATHER,
                .type = DataType::I64,
                .input = &own,
                .output = all.data(),
                .count = 1});
    for (int rank = 0; rank < group.size(); ++rank) EXPECT_EQ(all[static_cast<std::size_t>(rank)], rank * 7);
  });
}

TEST(HostTraffic, CarriesAVectorOncePerHost) {
  Traffic traffic;
  run_on_hosts({0, 0, 1, 1}, traffic, PATIENCE, [&](Communicator& group) {
    std::vector<float> data(100'000, 1.0F);
    run(group, {.operation = Operation::BARRIER});
    if (group.rank() == 0) traffic.bytes = 0;
    run(group, {.operation = Operation::BARRIER});
    run(group, {.operation = Operation::ALL_REDUCE,
                .type = DataType::F32,
                .input = data.data(),
                .output = data.data(),
                .count = data.size()});
    run(group, {.operation = Operation::BARRIER});
    EXPECT_EQ(data.front(), 4.0F);
  });
  // Each of the four ranks sends (2 − 1)/2 of its half in each half of a ring: each host the vector once.
  EXPECT_EQ(traffic.bytes, 2 * 100'000 * sizeof(float));
}

TEST(HostTraffic, IsToldByPeerOfAllLevels) {
  Traffic traffic;
  run_on_hosts({0, 0, 1, 1}, traffic, PATIENCE, [](Communicator& group) {
    ASSERT_NE(group.traffic(), nullptr);
    const auto bytes_from = [&](int peer) { return group.traffic()->peer(peer).bytes_received.get(); };
    std::vector<std::int64_t> before;
    for (int peer = 0; peer < 4; ++peer) before.push_back(bytes_from(peer));
    std::vector<float> data(10'000, 1);
    run(group, {.operation = Operation::ALL_REDUCE,
                .type = DataType::F32,
                .input = data.data(),
                .output = data.data(),
                .count = data.size()});
    std::vector<bool> heard_of;
    for (int peer = 0; peer < 4; ++peer) heard_of.push_back(bytes_from(peer) >= before[peer] + 20'000);
    // Leaders exchange halves of the vector with their mate and with each other, the others with their
    // leader.
    const std::vector<std::vector<bool>> expected{{false, true, true, false},
                                                  {true, false, false, false},
                                                  {true, false, false, true},
                                                  {false, false, true, false}};
    EXPECT_EQ(heard_of, expected[static_cast<std::size_t>(group.rank())]) << "rank " << group.rank();
    run(group, {.operation = Operation::BARRIER});
  });
}

TEST(HostMismatches, OnOneHostNameBothViews) {
  Traffic traffic;
  run_on_hosts({0, 0, 1, 1}, traffic, PATIENCE, [](Communicator& group) {
    std::vector<float> data(64);
    const Error error = error_of([&] {
      run(group, {.operation = Operation::ALL_REDUCE,
                  .type = DataType::F32,
                  .op = group.rank() == 1 ? ReduceOp::MAX : ReduceOp::SUM,
                  .input = data.data(),
                  .output = data.data(),
                  .count = data.size()});
      run(group, {.operation = Operation::BARRIER});
    });
    EXPECT_EQ(error.code(), ErrorCode::MISMATCH) << error.what();
  });
}

/// Some ranks gather while the others reduce.
void expect_mismatch(Communicator& group, bool gathers) {
  std::vector<float> data(64);
  std::vector<float> all(256);
  const Error error = error_of([&] {
    run(group, {.operation = gathers ? Operation::ALL_GATHER : Operation::ALL_REDUCE,
                .type = DataType::F32,
                .input = data.data(),
                .output = gathers ? all.data() : data.data(),
                .count = data.size()});
  });
  EXPECT_EQ(error.code(), ErrorCode::MISMATCH) << error.what();
}

// An all-gather knows no hosts, so that rank 1 waits in another group than rank 0.
TEST(HostMismatches, OfRanksOnDifferentLevelsAreFoundToo) {
  Traffic traffic;
  run_on_hosts({0, 0, 1, 1}, traffic, 2,
               [](Communicator& group) { expect_mismatch(group, group.rank() == 1); });
}

TEST(HostMismatches, BetweenHostsAreFoundToo) {
  Traffic traffic;
  run_on_hosts({0, 0, 1, 1}, traffic, PATIENCE,
               [](Communicator& group) { expect_mismatch(group, group.rank() >= 2); });
}

TEST(HostFailures, ReachTheRanksOfOtherHosts) {
  Traffic traffic;
  run_on_hosts({0, 0, 1, 1}, traffic, PATIENCE, [&](Communicator& group) {
    if (group.rank() == 3) return group.close();
    const Error error = error_of([&] {
      while (true) run(group, {.operation = Operation::BARRIER});
    });
    EXPECT_EQ(error.code(), ErrorCode::PEER_FAILED) << error.what();
    EXPECT_EQ(error.rank(), 3) << error.what();
  });
}

// Rank 0 meets it between the hosts with pieces on their way; its neighbour may, or on their host.
TEST(HostFailures, WithinPiecesNameTheRankAsTheWholeGroupDoes) {
  Traffic traffic;
  run_on_hosts({0, 0, 1, 1, 2, 2}, traffic, PATIENCE, [&](Communicator& group) {
    if (group.rank() == 2) return group.close();
    std::vector<float> data(4'000'000);
    const Error error = error_of([&] {
      run(group, {.operation = Operation::ALL_REDUCE,
                  .type = DataType::F32,
                  .input = data.data(),
                  .output = data.data(),
                  .count = data.size()});
    });
    EXPECT_EQ(error.code(), ErrorCode::PEER_FAILED) << error.what();
    EXPECT_EQ(error.rank(), 2) << error.what();
  });
}

TEST(HostSplits, GroupRanksOfDifferentHosts) {
  Traffic traffic;
  run_on_hosts({0, 0, 1, 1}, traffic, PATIENCE, [](Communicator& group) {
    const std::shared_ptr<Communicator> child = group.split(group.rank() == 0 ? 1 : 0, 0);
    std::int32_t value = group.rank();
    run(*child, {.operation = Operation::ALL_REDUCE,
                 .type = DataType::I32,
                 .input = &value,
                 .output = &value,
                 .count = 1});
    EXPECT_EQ(value, group.rank() == 0 ? 0 : 6);
    child->close();
  });
}

}  // namespace
}  // namespace lockstep::test

// Every operation over an MPI library, through the same functions that Java calls. Run by mpirun: all ranks
// go through the tests in the same order.

#include <cstdlib>
#include <limits>

#include "mpi_world.h"

namespace lockstep::test {
namespace {

class World : public testing::Environment {
 public:
  void SetUp() override { world = open_mpi(std::getenv("LOCKSTEP_MPI_PLUGIN"), TIMEOUT_SECONDS, 0); }

  void TearDown() override {
    close_communicator(world);
    try {
      close_communicator(open_mpi(std::getenv("LOCKSTEP_MPI_PLUGIN"), TIMEOUT_SECONDS, 0));
      ADD_FAILURE() << "MPI was started twice";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::CLOSED) << error.what();
    }
  }
};

[[maybe_unused]] const auto* const environment = testing::AddGlobalTestEnvironment(new World);

TEST(MpiOperations, AllReduceCombinesEveryTypeByEveryOperation) {
  for (DataType type : TYPES) {
    for (ReduceOp op : OPS) {
      for (std::size_t count : COUNTS) {
        TypedBuffer input = filled(type, count);
        TypedBuffer output(type, count);
        run(world, {Operation::ALL_REDUCE, type, op, 0, 0, input.address(), output.address(), count});
        expect_reduced(output, op, 0, describe(type, op, count));
        run(world, {Operation::ALL_REDUCE, type, op, 0, 0, input.address(), input.address(), count});
        expect_reduced(input, op, 0, describe(type, op, count) + " in place");
      }
    }
  }
}

TEST(MpiOperations, ReduceGivesTheResultToEachRoot) {
  for (int root : {0, size() - 1}) {
    for (DataType type : TYPES) {
      for (ReduceOp op : OPS) {
        for (std::size_t count : COUNTS) {
          TypedBuffer input = filled(type, count);
          TypedBuffer output(type, count);
          run(world, {Operation::REDUCE, type, op, root, 0, input.address(), output.address(), count});
          if (rank() == root) expect_reduced(output, op, 0, describe(type, op, count));
          run(world, {Operation::REDUCE, type, op, root, 0, input.address(), input.address(), count});
          if (rank() == root) expect_reduced(input, op, 0, describe(type, op, count) + " in place");
        }
      }
    }
  }
}

TEST(MpiOperations, ReduceScatterGivesEachRankItsShare) {
  for (DataType type : TYPES) {
    for (ReduceOp op : OPS) {
      for (std::size_t count : COUNTS) {
        TypedBuffer input = filled(type, count * static_cast<std::size_t>(size()));
        TypedBuffer output(type, count);
        run(world, {Operation::REDUCE_SCATTER, type, op, 0, 0, input.address(), output.address(), count});
        expect_reduced(output, op, count * static_cast<std::size_t>(rank()), describe(type, op, count));
      }
    }
  }
}

TEST(MpiOperations, FloatsKeepNanInMinAndMax) {
  for (DataType type : {DataType::F32, DataType::F64, DataType::F16, DataType::BF16}) {
    for (ReduceOp op : {ReduceOp::MIN, ReduceOp::MAX}) {
      for (std::size_t count : {std::size_t{2}, std::size_t{500}}) {
        TypedBuffer data = filled(type, count);
        if (rank() == size() - 1) data.set(1, std::numeric_limits<double>::quiet_NaN());
        run(world, {Operation::ALL_REDUCE, type, op, 0, 0, data.address(), data.address(), count});
        EXPECT_TRUE(std::isnan(data.get(1))) << describe(type, op, count);
        EXPECT_EQ(data.get(0), reduced(op, 0, false));
      }
    }
  }
}

TEST(MpiOperations, BroadcastCopiesFromEachRoot) {
  for (int root : {0, size() - 1}) {
    for (DataType type : TYPES) {
      for (std::size_t count : COUNTS) {
        TypedBuffer data = filled(type, count);
        const std::int64_t input = rank() == root ? data.address() : 0;
        run(world, {Operation::BROADCAST, type, ReduceOp::SUM, root, 0, input, data.address(), count});
        for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(data.get(i), value(root, i));
      }
    }
  }
}

void gather_and_scatter(DataType type, const std::vector<std::int64_t>& counts, bool uneven) {
  const auto own = static_cast<std::size_t>(counts[static_cast<std::size_t>(rank())]);
  const std::size_t total = sum(counts, size());
  for (int root : {0, size() - 1}) {
    const bool at_root = rank() == root;
    const auto* passed = uneven && at_root ? &counts : nullptr;
    TypedBuffer part = filled(type, own);
    TypedBuffer whole(type, at_root ? total : 0);
    run(world,
        {Operation::GATHER, type, ReduceOp::SUM, root, 0, part.address(), whole.address(), own, passed});
    for (int r = 0; at_root && r < size(); ++r) {
      for (std::size_t i = 0; i < static_cast<std::size_t>(counts[static_cast<std::size_t>(r)]); ++i) {
        ASSERT_EQ(whole.get(sum(counts, r) + i), value(r, i));
      }
    }
    TypedBuffer back(type, own);
    run(world,
        {Operation::SCATTER, type, ReduceOp::SUM, root, 0, whole.address(), back.address(), own, passed});
    for (std::size_t i = 0; i < own; ++i) ASSERT_EQ(back.get(i), value(rank(), i));
  }
}

void all_gather_and_reduce_scatter(DataType type, const std::vector<std::int64_t>& counts) {
  const auto own = static_cast<std::size_t>(counts[static_cast<std::size_t>(rank())]);
  const std::size_t total = sum(counts, size());
  TypedBuffer part = filled(type, own);
  TypedBuffer whole(type, total);
  run(world,
      {Operation::ALL_GATHER, type, ReduceOp::SUM, 0, 0, part.address(), whole.address(), own, &counts});
  for (int r = 0; r < size(); ++r) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(counts[static_cast<std::size_t>(r)]); ++i) {
      ASSERT_EQ(whole.get(sum(counts, r) + i), value(r, i));
    }
  }
  TypedBuffer input = filled(type, total);
  run(world,
      {Operation::REDUCE_SCATTER, type, ReduceOp::MAX, 0, 0, input.address(), part.address(), own, &counts});
  expect_reduced(part, ReduceOp::MAX, sum(counts, rank()), "uneven");
}

TEST(MpiOperations, GatherAndScatterMoveEvenAndUnevenShares) {
  for (DataType type : TYPES) {
    for (std::size_t count : COUNTS) {
      gather_and_scatter(type, even_counts(count), false);
      gather_and_scatter(type, uneven_counts(count), true);
    }
  }
}

TEST(MpiOperations, AllGatherAndReduceScatterTakeUnevenShares) {
  for (DataType type : TYPES) {
    for (std::size_t count : COUNTS) {
      all_gather_and_reduce_scatter(type, even_counts(count));
      all_gather_and_reduce_scatter(type, uneven_counts(count));
    }
  }
}

TEST(MpiOperations, AllToAllTransposesBlocks) {
  for (DataType type : TYPES) {
    for (std::size_t count : COUNTS) {
      const std::size_t total = count * static_cast<std::size_t>(size());
      TypedBuffer input = filled(type, total);
      TypedBuffer output(type, total);
      run(world,
          {Operation::ALL_TO_ALL, type, ReduceOp::SUM, 0, 0, input.address(), output.address(), count});
      for (std::size_t i = 0; i < total; ++i) {
        const int from = static_cast<int>(i / count);
        ASSERT_EQ(output.get(i), value(from, count * static_cast<std::size_t>(rank()) + i % count));
      }
    }
  }
}

TEST(MpiOperations, SendsArriveByTagAndFromAnyRank) {
  if (size() == 1) GTEST_SKIP() << "needs a peer";
  for (DataType type : TYPES) {
    for (std::size_t count : COUNTS) {
      TypedBuffer data = filled(type, count);
      if (rank() > 0) {
        run(world, {Operation::SEND, type, ReduceOp::SUM, 0, 7, data.address(), 0, count});
        run(world, {Operation::RECEIVE, type, ReduceOp::SUM, 0, 8, 0, data.address(), count});
        for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(data.get(i), value(0, i));
        continue;
      }
      std::vector<bool> seen(static_cast<std::size_t>(size()));
      for (int n = 1; n < size(); ++n) {
        TypedBuffer received(type, count);
        const int from =
            run(world, {Operation::RECEIVE, type, ReduceOp::SUM, ANY_RANK, 7, 0, received.address(), count});
        for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(received.get(i), value(from, i));
        EXPECT_FALSE(seen[static_cast<std::size_t>(from)]);
        seen[static_cast<std::size_t>(from)] = true;
      }
      for (int peer = 1; peer < size(); ++peer) {
        run(world, {Operation::SEND, type, ReduceOp::SUM, peer, 8, data.address(), 0, count});
      }
    }
  }
}

}  // namespace
}  // namespace lockstep::test

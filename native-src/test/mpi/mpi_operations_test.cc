// Every operation over an MPI library, through the same functions that Java calls. Run by mpirun: all ranks
// go through the tests in the same order.

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "lockstep/communicator.h"
#include "typed_buffer.h"

namespace lockstep::test {
namespace {

constexpr double TIMEOUT_SECONDS = 30;
constexpr DataType TYPES[] = {DataType::F32, DataType::F64, DataType::F16, DataType::BF16,
                              DataType::I32, DataType::I64, DataType::U8};
constexpr ReduceOp OPS[] = {ReduceOp::SUM, ReduceOp::AVERAGE, ReduceOp::MIN, ReduceOp::MAX,
                            ReduceOp::PRODUCT};
/// Nothing, one, within one packet, just over one, many chunks of the run with small chunks.
constexpr std::size_t COUNTS[] = {0, 1, 7, 16, 33, 129, 500};

std::int64_t world = 0;

class World : public testing::Environment {
 public:
  void SetUp() override { world = open_mpi(std::getenv("LOCKSTEP_MPI_PLUGIN"), TIMEOUT_SECONDS); }

  void TearDown() override {
    close_communicator(world);
    try {
      close_communicator(open_mpi(std::getenv("LOCKSTEP_MPI_PLUGIN"), TIMEOUT_SECONDS));
      ADD_FAILURE() << "MPI was started twice";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::CLOSED) << error.what();
    }
  }
};

[[maybe_unused]] const auto* const environment = testing::AddGlobalTestEnvironment(new World);

int rank() { return communicator_rank(world); }
int size() { return communicator_size(world); }

/// Small whole numbers, so that even the product over four ranks is exact in every type.
double value(int of_rank, std::size_t index) {
  return 1 + static_cast<double>((static_cast<std::size_t>(of_rank) + index) % 3);
}

TypedBuffer filled(DataType type, std::size_t count) {
  TypedBuffer buffer(type, count);
  for (std::size_t i = 0; i < count; ++i) buffer.set(i, value(rank(), i));
  return buffer;
}

double reduced(ReduceOp op, std::size_t index, bool integer) {
  double result = value(0, index);
  for (int r = 1; r < size(); ++r) {
    const double next = value(r, index);
    if (op == ReduceOp::MIN) {
      result = std::min(result, next);
    } else if (op == ReduceOp::MAX) {
      result = std::max(result, next);
    } else if (op == ReduceOp::PRODUCT) {
      result *= next;
    } else {
      result += next;
    }
  }
  if (op != ReduceOp::AVERAGE) return result;
  return integer ? std::trunc(result / size()) : result / size();
}

bool is_integer(DataType type) {
  return type == DataType::I32 || type == DataType::I64 || type == DataType::U8;
}

struct Arguments {
  Operation operation;
  DataType type = DataType::F32;
  ReduceOp op = ReduceOp::SUM;
  int root_or_peer = 0;
  int tag = 0;
  std::int64_t input = 0;
  std::int64_t output = 0;
  std::size_t count = 0;
  const std::vector<std::int64_t>* counts = nullptr;
};

int run(std::int64_t group, const Arguments& a) {
  return lockstep::run(group, static_cast<int>(a.operation), static_cast<int>(a.type), static_cast<int>(a.op),
                       a.root_or_peer, a.tag, a.input, a.output, static_cast<std::int64_t>(a.count),
                       a.counts == nullptr ? 0 : reinterpret_cast<std::int64_t>(a.counts->data()));
}

void expect_reduced(const TypedBuffer& buffer, ReduceOp op, std::size_t first, const std::string& what) {
  const bool half = buffer.type() == DataType::F16 || buffer.type() == DataType::BF16;
  for (std::size_t i = 0; i < buffer.count(); ++i) {
    const double expected = reduced(op, first + i, is_integer(buffer.type()));
    ASSERT_NEAR(buffer.get(i), expected, expected * (half ? 4e-3 : 1e-7)) << what << ", element " << i;
  }
}

std::string describe(DataType type, ReduceOp op, std::size_t count) {
  return "type " + std::to_string(static_cast<int>(type)) + ", op " + std::to_string(static_cast<int>(op)) +
         ", count " + std::to_string(count);
}

/// A group of the same ranks, for tests that end in an error.
std::int64_t copy_of_world() { return split(world, 0, rank()); }

template <typename Action>
Error error_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  return Error(ErrorCode::SYSTEM, "no error");
}

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

/// Rank r's share of uneven operations, and where it begins.
std::vector<std::int64_t> uneven_counts(std::size_t base) {
  std::vector<std::int64_t> counts;
  for (int r = 0; r < size(); ++r) counts.push_back(static_cast<std::int64_t>(r == 1 ? 0 : base + 3 * r));
  return counts;
}

std::size_t sum(const std::vector<std::int64_t>& counts, int end) {
  std::size_t total = 0;
  for (int r = 0; r < end; ++r) total += static_cast<std::size_t>(counts[static_cast<std::size_t>(r)]);
  return total;
}

std::vector<std::int64_t> even_counts(std::size_t count) {
  return std::vector<std::int64_t>(static_cast<std::size_t>(size()), static_cast<std::int64_t>(count));
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

TEST(MpiOperations, SplitMakesGroupsOrderedByKey) {
  const int color = rank() % 2;
  const std::int64_t group = split(world, color, -rank());
  const int members = (size() + 1 - color) / 2;
  EXPECT_EQ(communicator_size(group), members);
  EXPECT_EQ(communicator_rank(group), members - 1 - rank() / 2);
  double sum = rank();
  const auto address = reinterpret_cast<std::int64_t>(&sum);
  run(group, {Operation::ALL_REDUCE, DataType::F64, ReduceOp::SUM, 0, 0, address, address, 1});
  double expected = 0;
  for (int r = color; r < size(); r += 2) expected += r;
  EXPECT_EQ(sum, expected);
  close_communicator(group);
  const std::int64_t left_out = split(world, rank() == 0 ? 0 : -1, 0);
  EXPECT_EQ(left_out != 0, rank() == 0);
  close_communicator(left_out);
}

TEST(MpiOperations, GroupsAreUsedByTwoThreadsAtOnce) {
  const std::int64_t one = copy_of_world();
  const std::int64_t other = copy_of_world();
  const auto work = [](std::int64_t group) {
    for (int i = 0; i < 50; ++i) {
      TypedBuffer data = filled(DataType::F32, 1000);
      run(group,
          {Operation::ALL_REDUCE, DataType::F32, ReduceOp::SUM, 0, 0, data.address(), data.address(), 1000});
      expect_reduced(data, ReduceOp::SUM, 0, "two threads");
    }
  };
  std::thread thread(work, other);
  work(one);
  thread.join();
  close_communicator(one);
  close_communicator(other);
}

TEST(MpiOperations, EveryRankGetsTheSameBits) {
  std::vector<float> data(5000);
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = std::sin(static_cast<float>(i) + 0.7F * rank());
  data[0] = std::copysign(std::numeric_limits<float>::quiet_NaN(), rank() % 2 == 0 ? 1.0F : -1.0F);
  const auto address = reinterpret_cast<std::int64_t>(data.data());
  run(world, {Operation::ALL_REDUCE, DataType::F32, ReduceOp::SUM, 0, 0, address, address, data.size()});
  std::vector<std::byte> all(data.size() * 4 * static_cast<std::size_t>(size()));
  run(world, {Operation::ALL_GATHER, DataType::U8, ReduceOp::SUM, 0, 0, address,
              reinterpret_cast<std::int64_t>(all.data()), data.size() * 4});
  for (int r = 0; r < size(); ++r) {
    EXPECT_EQ(
        std::memcmp(data.data(), all.data() + static_cast<std::size_t>(r) * data.size() * 4, data.size() * 4),
        0);
  }
}

/// The last rank does otherwise; every rank must hear of it, and the parent group must live on.
void expect_mismatch(const Arguments& common, const Arguments& last, const std::string& common_words,
                     const std::string& last_words) {
  const std::int64_t group = copy_of_world();
  const bool is_last = rank() == size() - 1;
  const Error error = error_of([&] { run(group, is_last ? last : common); });
  EXPECT_EQ(error.code(), ErrorCode::MISMATCH) << error.what();
  EXPECT_NE(std::string(error.what()).find(common_words), std::string::npos) << error.what();
  EXPECT_NE(std::string(error.what()).find(last_words), std::string::npos) << error.what();
  if (is_last) {
    EXPECT_NE(error.rank(), rank());
  } else if (common.operation != Operation::GATHER) {
    EXPECT_EQ(error.rank(), size() - 1);
  }
  EXPECT_EQ(error_of([&] { run(group, common); }).code(), ErrorCode::CLOSED);
  close_communicator(group);
}

TEST(MpiOperations, DisagreementsAreSeenByAllAndEndOnlyTheirGroup) {
  if (size() == 1) GTEST_SKIP() << "needs a peer";
  TypedBuffer in(DataType::F64, 400);
  TypedBuffer out(DataType::F64, 1600);
  Arguments sum{Operation::ALL_REDUCE, DataType::F64, ReduceOp::SUM, 0, 0, in.address(), out.address(), 100};
  Arguments other = sum;
  other.count = 101;
  expect_mismatch(sum, other, "all-reduce #1 of 100 f64 by sum", "all-reduce #1 of 101 f64 by sum");
  other = sum;
  other.op = ReduceOp::MAX;
  expect_mismatch(sum, other, "by sum", "by max");
  other = sum;
  other.type = DataType::F32;
  expect_mismatch(sum, other, "100 f64", "100 f32");
  expect_mismatch(sum, {Operation::BARRIER}, "all-reduce", "barrier");
  Arguments small = sum;
  small.count = 2;
  expect_mismatch(small, sum, "of 2 f64", "of 100 f64");
  Arguments gather{Operation::GATHER, DataType::F64, ReduceOp::SUM, 0, 0, in.address(), out.address(), 5};
  other = gather;
  other.count = 6;
  expect_mismatch(gather, other, "gather #1 of 5 f64", "gather #1 of 6 f64");
  std::vector<std::int64_t> counts = even_counts(4);
  std::vector<std::int64_t> others = counts;
  others.front() = 3;
  Arguments uneven{
      Operation::ALL_GATHER, DataType::F64, ReduceOp::SUM, 0, 0, in.address(), out.address(), 4, &counts};
  other = uneven;
  other.counts = &others;
  expect_mismatch(uneven, other, "different lists of counts", "all-gather");
  run(world, {Operation::BARRIER});
}

}  // namespace
}  // namespace lockstep::test

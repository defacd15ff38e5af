// Groups over an MPI library: what one does leaves the others alone, and its ranks agree.

#include <cstring>
#include <limits>
#include <thread>

#include "mpi_world.h"

namespace lockstep::test {
namespace {

TEST(MpiGroups, SplitMakesGroupsOrderedByKey) {
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

TEST(MpiGroups, GroupsAreUsedByTwoThreadsAtOnce) {
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

TEST(MpiGroups, EveryRankGetsTheSameBits) {
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

TEST(MpiGroups, DisagreementsAreSeenByAllAndEndOnlyTheirGroup) {
  if (size() == 1) GTEST_SKIP() << "needs a peer";
  TypedBuffer in(DataType::F64, 400);
  TypedBuffer out(DataType::F64, 1600);
  Arguments sum{Operation::ALL_REDUCE, DataType::F64, ReduceOp::SUM, 0, 0, in.address(), out.address(), 100};
  Arguments other = sum;
  other.count = 101;
  expect_mismatch(sum, other, "all-reduce #2 of 100 f64 by sum", "all-reduce #2 of 101 f64 by sum");
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
  expect_mismatch(gather, other, "gather #2 of 5 f64", "gather #2 of 6 f64");
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

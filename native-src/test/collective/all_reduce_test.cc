// Every all-reduce algorithm, over every type and operation, group size and length, against its definition.

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "call.h"
#include "collective/choice/algorithm.h"
#include "collective/choice/select.h"
#include "expected.h"
#include "ranks.h"
#include "sanitized.h"
#include "typed_data.h"

namespace lockstep::test {
namespace {

// Small enough for the lengths below to need several segments, and not a multiple of any element's length.
constexpr std::size_t SMALL_SEGMENTS = 1001;

class AllReduces : public testing::TestWithParam<std::tuple<Algorithm, int>> {
 protected:
  Algorithm algorithm() const { return std::get<0>(GetParam()); }
  int ranks() const { return std::get<1>(GetParam()); }

  template <typename Body>
  void on_every_rank(std::size_t segment_bytes, Body body) {
    run_with_communicators(ranks(), tuning_for(algorithm(), segment_bytes), PATIENCE, body);
  }
};

std::string name_of_case(const testing::TestParamInfo<std::tuple<Algorithm, int>>& info) {
  std::string name = name_of(std::get<0>(info.param)) + "_" + std::to_string(std::get<1>(info.param));
  for (char& letter : name) letter = letter == '-' ? '_' : letter;
  return name;
}

std::vector<Algorithm> algorithms() {
  const auto all = tests_shared_memory() ? algorithms_with_shared_memory(Operation::ALL_REDUCE)
                                         : algorithms_of(Operation::ALL_REDUCE);
  return {all.begin(), all.end()};
}

std::vector<int> rank_counts() {
  if (IS_SANITIZED) return {1, 2, 3, 5, 8};
  return {1, 2, 3, 4, 5, 6, 7, 8, 9, 16};
}

INSTANTIATE_TEST_SUITE_P(Ranks, AllReduces,
                         testing::Combine(testing::ValuesIn(algorithms()), testing::ValuesIn(rank_counts())),
                         name_of_case);

void check(Communicator& group, Algorithm algorithm, DataType type, ReduceOp op, std::size_t count) {
  SCOPED_TRACE(name_of(type) + " " + name_of(op) + " " + std::to_string(count));
  const Bytes expected = reduced(group.size(), 0, count, type, op);
  const Bytes input = encode(values(group.rank(), 0, count, op), type);
  Bytes output(input.size());
  Call call{.operation = Operation::ALL_REDUCE,
            .type = type,
            .op = op,
            .input = input.data(),
            .output = output.data(),
            .count = count};
  run(group, call);
  EXPECT_EQ(output, expected);
  EXPECT_EQ(input, encode(values(group.rank(), 0, count, op), type)) << "the input was written to";
  EXPECT_EQ(group.last_algorithm(), group.size() == 1 ? Algorithm::NONE : algorithm);
  output = input;
  call.input = output.data();
  run(group, call);
  EXPECT_EQ(output, expected) << "in place";
}

TEST_P(AllReduces, CombineEveryTypeByEveryOperation) {
  on_every_rank(SMALL_SEGMENTS, [&](Communicator& group) {
    for (DataType type : TYPES) {
      for (ReduceOp op : OPS) {
        for (std::size_t count : {0, 1, 3, 1000}) check(group, algorithm(), type, op, count);
      }
    }
  });
}

TEST_P(AllReduces, CombineLongVectorsInManySegments) {
  on_every_rank(16'001, [&](Communicator& group) {
    check(group, algorithm(), DataType::F32, ReduceOp::AVERAGE, 65'537);
    check(group, algorithm(), DataType::U8, ReduceOp::MAX, 65'537);
  });
}

TEST_P(AllReduces, CombineSegmentsOfOneElement) {
  on_every_rank(1, [&](Communicator& group) {
    check(group, algorithm(), DataType::F64, ReduceOp::AVERAGE, 2);
    check(group, algorithm(), DataType::F64, ReduceOp::AVERAGE, 29);
  });
}

/// Values of all magnitudes, whose sum depends on the order.
Bytes rough_values(int rank, std::size_t count, DataType type) {
  std::mt19937 random(static_cast<unsigned>(17 + rank));
  std::uniform_real_distribution<double> mantissa(-1, 1);
  std::uniform_int_distribution<int> exponent(-6, 6);
  std::vector<double> result;
  for (std::size_t i = 0; i < count; ++i) result.push_back(std::ldexp(mantissa(random), exponent(random)));
  return encode(result, type);
}

TEST_P(AllReduces, RoundTheSameOnEveryRankAndInEveryRun) {
  for (DataType type : {DataType::F32, DataType::F64, DataType::F16, DataType::BF16}) {
    std::vector<Bytes> results(static_cast<std::size_t>(2 * ranks()));
    for (int repetition = 0; repetition < 2; ++repetition) {
      on_every_rank(SMALL_SEGMENTS, [&](Communicator& group) {
        Bytes data = rough_values(group.rank(), 2003, type);
        run(group, {.operation = Operation::ALL_REDUCE,
                    .type = type,
                    .op = ReduceOp::AVERAGE,
                    .input = data.data(),
                    .output = data.data(),
                    .count = 2003});
        results[repetition * ranks() + group.rank()] = data;
      });
    }
    for (const Bytes& result : results) EXPECT_EQ(result, results[0]) << name_of(type);
  }
}

}  // namespace
}  // namespace lockstep::test

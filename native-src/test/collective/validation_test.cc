// What is refused before it can do harm.

#include "collective/communicator/validation.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "call.h"
#include "lockstep/communicator.h"
#include "ranks.h"

namespace lockstep::test {
namespace {

constexpr int RANK = 1;
constexpr int RANKS = 3;

std::int32_t memory[64];
const std::vector<std::int64_t> COUNTS{1, 2, 3};

struct Refusal {
  std::string name;
  Call call;
  std::string reason;
};

constexpr std::size_t TOO_MANY = std::size_t{1} << 62;

const Refusal REFUSALS[] = {
    {"UnknownOperation", {.operation = static_cast<Operation>(13)}, "13 is no operation"},
    {"NegativeOperation", {.operation = static_cast<Operation>(-1)}, "-1 is no operation"},
    {"Split", {.operation = Operation::SPLIT}, "call split()"},
    {"FusedStep", {.operation = Operation::REDUCE_STEP}, "call reduce_sgd_step()"},
    {"UnknownType",
     {.operation = Operation::ALL_REDUCE,
      .type = static_cast<DataType>(7),
      .input = memory,
      .output = memory,
      .count = 1},
     "7 is no data type"},
    {"UnknownReduceOp",
     {.operation = Operation::ALL_REDUCE,
      .op = static_cast<ReduceOp>(5),
      .input = memory,
      .output = memory,
      .count = 1},
     "5 is no reduce operation"},
    {"NegativeCount",
     {.operation = Operation::ALL_REDUCE,
      .input = memory,
      .output = memory,
      .count = static_cast<std::size_t>(-1)},
     "negative count (-1)"},
    {"CountThatOverflows",
     {.operation = Operation::ALL_REDUCE,
      .type = DataType::F64,
      .input = memory,
      .output = memory,
      .count = TOO_MANY},
     "more than memory can hold"},
    {"CountThatOverflowsTimesTheRanks",
     {.operation = Operation::ALL_GATHER, .input = memory, .output = memory, .count = TOO_MANY},
     "more than memory can hold"},
    {"NoInput", {.operation = Operation::ALL_REDUCE, .output = memory, .count = 1}, "no input"},
    {"NoOutput", {.operation = Operation::ALL_REDUCE, .input = memory, .count = 1}, "no output"},
    {"NoOutputAtTheRoot",
     {.operation = Operation::GATHER, .root_or_peer = RANK, .input = memory, .count = 1},
     "no output"},
    {"NoInputAtTheRoot",
     {.operation = Operation::SCATTER, .root_or_peer = RANK, .output = memory, .count = 1},
     "no input"},
    {"NegativeAddress",
     {.operation = Operation::SEND, .input = reinterpret_cast<void*>(-8), .count = 1},
     "bad address for its input"},
    {"AddressThatOverflows",
     {.operation = Operation::SEND,
      .input = reinterpret_cast<void*>(std::numeric_limits<std::int64_t>::max() - 2),
      .count = 8},
     "bad address for its input"},
    {"RootTooLarge", {.operation = Operation::BROADCAST, .root_or_peer = RANKS}, "root 3"},
    {"NegativeRoot", {.operation = Operation::REDUCE, .root_or_peer = -1}, "root -1"},
    {"PeerTooLarge", {.operation = Operation::SEND, .root_or_peer = RANKS}, "peer 3"},
    {"SendToAny", {.operation = Operation::SEND, .root_or_peer = ANY_RANK}, "peer -1"},
    {"ReceiveFromNobody", {.operation = Operation::RECEIVE, .root_or_peer = -2}, "peer -2"},
    {"SendToItself", {.operation = Operation::SEND, .root_or_peer = RANK}, "itself"},
    {"ReceiveFromItself", {.operation = Operation::RECEIVE, .root_or_peer = RANK}, "itself"},
    {"Overlap",
     {.operation = Operation::ALL_REDUCE,
      .type = DataType::I32,
      .input = memory,
      .output = memory + 1,
      .count = 2},
     "overlap"},
    {"InPlaceWhereImpossible",
     {.operation = Operation::ALL_TO_ALL,
      .type = DataType::I32,
      .input = memory,
      .output = memory,
      .count = 2},
     "cannot work in place"},
    {"OverlapOfTheWholeVector",
     {.operation = Operation::ALL_GATHER,
      .type = DataType::I32,
      .input = memory + 5,
      .output = memory,
      .count = 2},
     "overlap"},
    {"CountsWhereNoneAreTaken",
     {.operation = Operation::ALL_REDUCE, .input = memory, .output = memory, .count = 2, .counts = &COUNTS},
     "takes no counts"},
};

class Refusals : public testing::TestWithParam<Refusal> {};

INSTANTIATE_TEST_SUITE_P(Calls, Refusals, testing::ValuesIn(REFUSALS),
                         [](const auto& info) { return info.param.name; });

TEST_P(Refusals, SayWhatIsWrong) {
  const Error error = error_of([] { validate(GetParam().call.raw(), RANK, RANKS); });
  EXPECT_EQ(error.code(), ErrorCode::INVALID_ARGUMENT);
  EXPECT_NE(std::string(error.what()).find(GetParam().reason), std::string::npos) << error.what();
}

Error refusal_of_counts(const std::vector<std::int64_t>& counts, std::size_t count) {
  return error_of([&] {
    validate(Call{.operation = Operation::ALL_GATHER,
                  .input = memory,
                  .output = memory + 32,
                  .count = count,
                  .counts = &counts}
                 .raw(),
             RANK, RANKS);
  });
}

TEST(Counts, MustBeTrueForThisRank) {
  EXPECT_NE(std::string(refusal_of_counts({1, 2, 3}, 3).what()).find("say 2 for this rank"),
            std::string::npos);
}

TEST(Counts, MustNotBeNegative) {
  EXPECT_NE(std::string(refusal_of_counts({1, 2, -3}, 2).what()).find("(-3)"), std::string::npos);
}

TEST(Counts, MustHaveASumThatFits) {
  constexpr std::int64_t LARGEST = std::numeric_limits<std::int64_t>::max();
  EXPECT_NE(std::string(refusal_of_counts({LARGEST, 2, 3}, 2).what()).find("too large"), std::string::npos);
}

TEST(Counts, AreCopied) {
  std::vector<std::int64_t> counts{1, 2, 3};
  const ValidatedRequest validated = validate(Call{.operation = Operation::ALL_GATHER,
                                                   .input = memory,
                                                   .output = memory + 32,
                                                   .count = 2,
                                                   .counts = &counts}
                                                  .raw(),
                                              RANK, RANKS);
  counts[0] = 100;
  EXPECT_EQ(validated.request.counts[0], 1);
}

TEST(Requests, LoseWhatTheirOperationDoesNotLookAt) {
  const ValidatedRequest validated = validate(
      Call{.operation = Operation::REDUCE, .tag = 5, .input = memory, .output = memory, .count = 2}.raw(),
      RANK, RANKS);
  EXPECT_EQ(validated.request.output, nullptr);
  EXPECT_EQ(validated.request.tag, 0);
}

TEST(Requests, OfNoLengthNeedNoAddress) {
  validate(Call{.operation = Operation::ALL_REDUCE}.raw(), RANK, RANKS);
  validate(Call{.operation = Operation::GATHER, .root_or_peer = RANK}.raw(), RANK, RANKS);
}

TEST(Requests, HaveNoPeerInAGroupOfOne) {
  const Error error =
      error_of([] { validate(Call{.operation = Operation::RECEIVE, .root_or_peer = ANY_RANK}.raw(), 0, 1); });
  EXPECT_NE(std::string(error.what()).find("group of one"), std::string::npos) << error.what();
}

TEST(Counts, NeedNoAlignment) {
  alignas(8) std::byte bytes[8 + sizeof(std::int64_t) * RANKS];
  std::memcpy(bytes + 1, COUNTS.data(), sizeof(std::int64_t) * RANKS);
  RawRequest raw =
      Call{.operation = Operation::ALL_GATHER, .input = memory, .output = memory + 32, .count = 2}.raw();
  raw.counts = reinterpret_cast<std::int64_t>(bytes + 1);
  const ValidatedRequest validated = validate(raw, RANK, RANKS);
  EXPECT_EQ(validated.counts, COUNTS);
}

TEST(Tags, GoFrom0To32767) {
  for (std::int32_t tag : {0, 32767}) {
    Call call{.operation = Operation::SEND, .root_or_peer = 0, .tag = tag, .input = memory, .count = 1};
    EXPECT_EQ(validate(call.raw(), RANK, RANKS).request.tag, tag);
  }
  for (std::int32_t tag : {-1, 32768}) {
    Call call{.operation = Operation::RECEIVE, .root_or_peer = 0, .tag = tag, .output = memory, .count = 1};
    const Error error = error_of([&] { validate(call.raw(), RANK, RANKS); });
    EXPECT_EQ(error.code(), ErrorCode::INVALID_ARGUMENT);
    EXPECT_NE(std::string(error.what()).find(std::to_string(tag)), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace lockstep::test

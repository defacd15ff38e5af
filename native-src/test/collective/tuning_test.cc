// The format of tuning files.

#include "collective/choice/tuning.h"

#include <gtest/gtest.h>

#include <string>

#include "ranks.h"

namespace lockstep::test {
namespace {

TEST(TuningFile, IsReadLineByLine) {
  const Tuning tuning = parse_tuning(
      "# cluster one\n"
      "lockstep-tuning 1\n"
      "\n"
      "segment-bytes 65536   # half a cache\r\n"
      "all-reduce\t2-4 1 4096 direct\n"
      "  all-reduce 5-* * * halving-doubling\n"
      "broadcast 7 2-* * binomial-tree",
      "one.tuning");
  EXPECT_EQ(tuning.segment_bytes, 65536U);
  const std::vector<TuningRow> expected{
      {.algorithm = Algorithm::DIRECT, .below_bytes = 4096, .ranks = {2, 4}, .hosts = {1, 1}},
      {.algorithm = Algorithm::HALVING_DOUBLING, .ranks = {5, Interval::UNLIMITED}},
      {.operation = Operation::BROADCAST,
       .algorithm = Algorithm::BINOMIAL_TREE,
       .ranks = {7, 7},
       .hosts = {2, Interval::UNLIMITED}}};
  EXPECT_EQ(tuning.rows, expected);
}

TEST(TuningFile, WithoutALengthOfSegmentsHasTheDefault) {
  EXPECT_EQ(parse_tuning("lockstep-tuning 1\n", "x").segment_bytes, Tuning{}.segment_bytes);
}

TEST(TuningFile, IsReadBackAsItWasWritten) {
  EXPECT_EQ(parse_tuning(format_tuning(Tuning{}), "x"), Tuning{});
  const Tuning tuning{
      .segment_bytes = 12,
      .rows = {{.algorithm = Algorithm::HIERARCHICAL, .below_bytes = 5, .ranks = {3, 3}, .hosts = {1, 9}},
               {.operation = Operation::BARRIER,
                .algorithm = Algorithm::DISSEMINATION,
                .ranks = {4, Interval::UNLIMITED}}}};
  EXPECT_EQ(parse_tuning(format_tuning(tuning), "x"), tuning);
}

void expect_refused(const std::string& text, const std::string& words) {
  const Error error = error_of([&] { parse_tuning(text, "dir/a.tuning"); });
  EXPECT_EQ(error.code(), ErrorCode::INVALID_ARGUMENT);
  EXPECT_EQ("Tuning dir/a.tuning, line " + words + ".", error.what());
}

TEST(TuningFile, WithMistakesIsRefusedNamingTheLine) {
  const std::string first = "lockstep-tuning 1\n";
  expect_refused("", "1: the first line must be `lockstep-tuning 1`");
  expect_refused("lockstep-tuning 2\n", "1: the first line must be `lockstep-tuning 1`");
  expect_refused("\nall-reduce * * * ring", "2: the first line must be `lockstep-tuning 1`");
  expect_refused(first + "\nring",
                 "3: a row has five words (operation, ranks, hosts, below-bytes, algorithm), not 1");
  expect_refused(first + "send * * * ring", "2: `send` is no collective");
  expect_refused(first + "all_reduce * * * ring", "2: `all_reduce` is no collective");
  expect_refused(first + "all-reduce 0 * * ring", "2: `0` is no number of ranks; write *, 4, 2-8 or 9-*");
  expect_refused(first + "all-reduce 3-2 * * ring", "2: `3-2` is no number of ranks; write *, 4, 2-8 or 9-*");
  expect_refused(first + "all-reduce * *-2 * ring", "2: `*-2` is no number of hosts; write *, 4, 2-8 or 9-*");
  expect_refused(first + "all-reduce * 2- * ring", "2: `2-` is no number of hosts; write *, 4, 2-8 or 9-*");
  expect_refused(first + "all-reduce * * 4k ring", "2: `4k` is no number of bytes from 1");
  expect_refused(first + "all-reduce * * 99999999999999999999 ring",
                 "2: `99999999999999999999` is no number of bytes from 1");
  expect_refused(first + "all-reduce * * * rings", "2: `rings` is no algorithm");
  expect_refused(first + "broadcast * * * ring", "2: broadcast has no algorithm ring");
  expect_refused(first + "all-reduce * * * library", "2: all-reduce has no algorithm library");
  expect_refused(first + "segment-bytes", "2: segment-bytes takes one number");
  expect_refused(first + "segment-bytes -1", "2: `-1` is no number of bytes from 1");
  expect_refused(first + "segment-bytes 1\nsegment-bytes 2", "3: segment-bytes is there twice");
}

}  // namespace
}  // namespace lockstep::test

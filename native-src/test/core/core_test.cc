// Names and sizes of types, and notices for the host's log.

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "core/data_type.h"
#include "core/deadline.h"
#include "core/log.h"
#include "core/utf8.h"
#include "lockstep/communicator.h"
#include "lockstep/error.h"
#include "ranks.h"

namespace lockstep::test {
namespace {

TEST(DataTypes, HaveTheirSizesAndNames) {
  EXPECT_EQ(size_of(DataType::F32), 4U);
  EXPECT_EQ(size_of(DataType::F64), 8U);
  EXPECT_EQ(size_of(DataType::F16), 2U);
  EXPECT_EQ(size_of(DataType::BF16), 2U);
  EXPECT_EQ(size_of(DataType::I32), 4U);
  EXPECT_EQ(size_of(DataType::I64), 8U);
  EXPECT_EQ(size_of(DataType::U8), 1U);
  EXPECT_EQ(name_of(DataType::BF16), "bf16");
  EXPECT_EQ(name_of(ReduceOp::AVERAGE), "average");
  EXPECT_EQ(name_of(Operation::REDUCE_SCATTER), "reduce-scatter");
  EXPECT_TRUE(is_floating(DataType::F16));
  EXPECT_FALSE(is_floating(DataType::U8));
}

TEST(DataTypes, RefuseCodesThatAreNone) {
  EXPECT_EQ(error_of([] { data_type_from(7); }).code(), ErrorCode::INVALID_ARGUMENT);
  EXPECT_EQ(error_of([] { reduce_op_from(-1); }).code(), ErrorCode::INVALID_ARGUMENT);
  EXPECT_EQ(error_of([] { operation_from(13); }).code(), ErrorCode::INVALID_ARGUMENT);
}

TEST(Notices, ComeOutOldestFirst) {
  log_notice(LogLevel::INFO, "first");
  log_notice(LogLevel::WARN, "second");
  EXPECT_STREQ(take_log_line(), "INFO first");
  EXPECT_STREQ(take_log_line(), "WARN second");
  EXPECT_STREQ(take_log_line(), "");
}

TEST(Notices, AreCountedWhereTheyAreTooMany) {
  for (int i = 0; i < 1500; ++i) log_notice(LogLevel::INFO, std::to_string(i));
  for (int i = 0; i < 999; ++i) EXPECT_EQ(take_notice(), "INFO " + std::to_string(i));
  EXPECT_EQ(take_notice().substr(0, 25), "WARN 501 later notices we");
  EXPECT_EQ(take_notice(), "");
}

TEST(Utf8, IsModifiedForJava) {
  EXPECT_EQ(modified_utf8("Größe 1 µs"), "Größe 1 µs");
  EXPECT_EQ(modified_utf8(std::string_view("a\0b", 3)),
            "a\xC0\x80"
            "b");
  // U+1F600 as its surrogates D83D and DE00.
  EXPECT_EQ(modified_utf8("\xF0\x9F\x98\x80!"), "\xED\xA0\xBD\xED\xB8\x80!");
}

TEST(Utf8, ReplacesWhatIsNone) {
  const std::string replacement = "\xEF\xBF\xBD";
  EXPECT_EQ(modified_utf8("a\xFF"
                          "b"),
            "a" + replacement + "b");
  EXPECT_EQ(modified_utf8("cut \xC3"), "cut " + replacement);
  EXPECT_EQ(modified_utf8("\xC3("), replacement + "(");
  EXPECT_EQ(modified_utf8("\xC0\x80"), replacement + replacement) << "an overlong zero";
  EXPECT_EQ(modified_utf8("\xED\xA0\xBD"), replacement + replacement + replacement) << "a lone surrogate";
  EXPECT_EQ(modified_utf8("\xF5\x80\x80\x80").substr(0, 3), replacement) << "past U+10FFFF";
}

TEST(Utf8, IsCutBetweenCharacters) {
  EXPECT_EQ(cut_utf8("abc", 3), "abc");
  EXPECT_EQ(cut_utf8("abcd", 3), "abc");
  EXPECT_EQ(cut_utf8("abé", 3), "ab");
  EXPECT_EQ(cut_utf8("éa", 2), "é");
}

TEST(Errors, CrossTheBoundaryAsModifiedUtf8) {
  EXPECT_STREQ(
      Error(ErrorCode::SYSTEM, "odd \xFF", 3).encoded(),
      ("lockstep:" + std::to_string(static_cast<int>(ErrorCode::SYSTEM)) + ":3:odd \xEF\xBF\xBD").c_str());
}

TEST(Timeouts, ArePositiveAndFitAClock) {
  EXPECT_EQ(checked_timeout(0.5), 0.5);
  EXPECT_EQ(checked_timeout(std::numeric_limits<double>::infinity()), 1e9);
  for (double wrong : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_EQ(error_of([&] { checked_timeout(wrong); }).code(), ErrorCode::INVALID_ARGUMENT) << wrong;
  }
}

}  // namespace
}  // namespace lockstep::test

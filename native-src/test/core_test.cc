// Names and sizes of types, and notices for the host's log.

#include <gtest/gtest.h>

#include <string>

#include "core/data_type.h"
#include "core/log.h"
#include "lockstep/communicator.h"
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
  EXPECT_EQ(error_of([] { operation_from(12); }).code(), ErrorCode::INVALID_ARGUMENT);
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

}  // namespace
}  // namespace lockstep::test

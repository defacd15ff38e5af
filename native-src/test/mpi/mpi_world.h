#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "lockstep/communicator.h"
#include "lockstep/error.h"
#include "typed_buffer.h"

namespace lockstep::test {

inline constexpr double TIMEOUT_SECONDS = 30;
inline constexpr DataType TYPES[] = {DataType::F32, DataType::F64, DataType::F16, DataType::BF16,
                                     DataType::I32, DataType::I64, DataType::U8};
inline constexpr ReduceOp OPS[] = {ReduceOp::SUM, ReduceOp::AVERAGE, ReduceOp::MIN, ReduceOp::MAX,
                                   ReduceOp::PRODUCT};
/// Nothing, one, within one packet, just over one, many chunks of the run with small chunks.
inline constexpr std::size_t COUNTS[] = {0, 1, 7, 16, 33, 129, 500};

/// The group of all ranks, open while the tests run.
inline std::int64_t world = 0;

inline int rank() { return communicator_rank(world); }
inline int size() { return communicator_size(world); }

/// Small whole numbers, so that even the product over four ranks is exact in every type.
inline double value(int of_rank, std::size_t index) {
  return 1 + static_cast<double>((static_cast<std::size_t>(of_rank) + index) % 3);
}

inline TypedBuffer filled(DataType type, std::size_t count) {
  TypedBuffer buffer(type, count);
  for (std::size_t i = 0; i < count; ++i) buffer.set(i, value(rank(), i));
  return buffer;
}

inline double reduced(ReduceOp op, std::size_t index, bool integer) {
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

inline bool is_integer(DataType type) {
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

inline int run(std::int64_t group, const Arguments& a) {
  return lockstep::run(group, static_cast<int>(a.operation), static_cast<int>(a.type), static_cast<int>(a.op),
                       a.root_or_peer, a.tag, a.input, a.output, static_cast<std::int64_t>(a.count),
                       a.counts == nullptr ? 0 : reinterpret_cast<std::int64_t>(a.counts->data()));
}

inline void expect_reduced(const TypedBuffer& buffer, ReduceOp op, std::size_t first,
                           const std::string& what) {
  const bool half = buffer.type() == DataType::F16 || buffer.type() == DataType::BF16;
  for (std::size_t i = 0; i < buffer.count(); ++i) {
    const double expected = reduced(op, first + i, is_integer(buffer.type()));
    ASSERT_NEAR(buffer.get(i), expected, expected * (half ? 4e-3 : 1e-7)) << what << ", element " << i;
  }
}

inline std::string describe(DataType type, ReduceOp op, std::size_t count) {
  return "type " + std::to_string(static_cast<int>(type)) + ", op " + std::to_string(static_cast<int>(op)) +
         ", count " + std::to_string(count);
}

/// A group of the same ranks, for tests that end in an error.
inline std::int64_t copy_of_world() { return split(world, 0, rank()); }

template <typename Action>
Error error_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  return Error(ErrorCode::SYSTEM, "no error");
}

/// Rank r's share of uneven operations, and where it begins.
inline std::vector<std::int64_t> uneven_counts(std::size_t base) {
  std::vector<std::int64_t> counts;
  for (int r = 0; r < size(); ++r) counts.push_back(static_cast<std::int64_t>(r == 1 ? 0 : base + 3 * r));
  return counts;
}

inline std::size_t sum(const std::vector<std::int64_t>& counts, int end) {
  std::size_t total = 0;
  for (int r = 0; r < end; ++r) total += static_cast<std::size_t>(counts[static_cast<std::size_t>(r)]);
  return total;
}

inline std::vector<std::int64_t> even_counts(std::size_t count) {
  return std::vector<std::int64_t>(static_cast<std::size_t>(size()), static_cast<std::int64_t>(count));
}

}  // namespace lockstep::test

#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "typed_data.h"

namespace lockstep::test {

/// Small whole numbers, so that sums and products are exact in every type and in every order.
inline double value_of(int rank, std::size_t index) {
  return static_cast<double>((index * 7 + rank * 3) % 4 + (index % 3 == 0));
}

/// Factors whose product over 8 ranks stays exact in 8 bits.
inline double factor_of(int rank, std::size_t index) { return (index + rank) % 3 == 0 ? 2 : 1; }

inline std::vector<double> values(int rank, std::size_t begin, std::size_t count, ReduceOp op) {
  std::vector<double> result;
  for (std::size_t i = begin; i < begin + count; ++i) {
    result.push_back(op == ReduceOp::PRODUCT ? factor_of(rank, i) : value_of(rank, i));
  }
  return result;
}

inline double combine(double a, double b, ReduceOp op) {
  switch (op) {
    case ReduceOp::MIN:
      return std::min(a, b);
    case ReduceOp::MAX:
      return std::max(a, b);
    case ReduceOp::PRODUCT:
      return a * b;
    case ReduceOp::SUM:
    case ReduceOp::AVERAGE:
      return a + b;
  }
  return 0;
}

/// Elements begin … begin + count of the reduction over all ranks, by its definition.
inline Bytes reduced(int ranks, std::size_t begin, std::size_t count, DataType type, ReduceOp op) {
  std::vector<double> result = values(0, begin, count, op);
  for (int rank = 1; rank < ranks; ++rank) {
    const std::vector<double> next = values(rank, begin, count, op);
    for (std::size_t i = 0; i < count; ++i) result[i] = combine(result[i], next[i], op);
  }
  if (op == ReduceOp::AVERAGE) {
    for (double& value : result) {
      value = type == DataType::F64 ? value / ranks : static_cast<float>(value) / static_cast<float>(ranks);
    }
  }
  return encode(result, type);
}

inline Bytes plain(int rank, std::size_t begin, std::size_t count, DataType type) {
  return encode(values(rank, begin, count, ReduceOp::SUM), type);
}

inline void append_all(Bytes& bytes, const Bytes& more) {
  bytes.insert(bytes.end(), more.begin(), more.end());
}

/// A length for each rank: zero for some, no two alike.
inline std::vector<std::int64_t> uneven_counts(int ranks, std::size_t length) {
  std::vector<std::int64_t> counts;
  for (int rank = 0; rank < ranks; ++rank) {
    counts.push_back(rank % 3 == 1 ? 0 : static_cast<std::int64_t>(length * (rank + 1) / ranks + rank));
  }
  return counts;
}

inline std::size_t sum(const std::vector<std::int64_t>& counts, int end) {
  std::size_t total = 0;
  for (int rank = 0; rank < end; ++rank) total += static_cast<std::size_t>(counts[rank]);
  return total;
}

/// Blocks of all ranks one after the other.
inline Bytes all_blocks(const std::vector<std::int64_t>& counts, DataType type, std::size_t begin = 0) {
  Bytes bytes;
  for (int rank = 0; rank < static_cast<int>(counts.size()); ++rank)
    append_all(bytes, plain(rank, begin, static_cast<std::size_t>(counts[rank]), type));
  return bytes;
}

}  // namespace lockstep::test

#pragma once

#include <cstddef>
#include <cstring>
#include <type_traits>
#include <vector>

#include "core/data_type.h"
#include "half_reference.h"

namespace lockstep::test {

inline constexpr DataType TYPES[] = {DataType::F32, DataType::F64, DataType::F16, DataType::BF16,
                                     DataType::I32, DataType::I64, DataType::U8};
inline constexpr ReduceOp OPS[] = {ReduceOp::SUM, ReduceOp::AVERAGE, ReduceOp::MIN, ReduceOp::MAX,
                                   ReduceOp::PRODUCT};

using Bytes = std::vector<std::byte>;

template <typename T>
void append(Bytes& bytes, T value) {
  const std::size_t end = bytes.size();
  bytes.resize(end + sizeof(T));
  std::memcpy(bytes.data() + end, &value, sizeof(T));
}

/// The values as elements of `type`, each rounded to nearest even.
inline Bytes encode(const std::vector<double>& values, DataType type) {
  Bytes bytes;
  for (double value : values) {
    switch (type) {
      case DataType::F32:
        append(bytes, static_cast<float>(value));
        break;
      case DataType::F64:
        append(bytes, value);
        break;
      case DataType::F16:
        append(bytes, F16.narrow(static_cast<float>(value)));
        break;
      case DataType::BF16:
        append(bytes, BF16.narrow(static_cast<float>(value)));
        break;
      case DataType::I32:
        append(bytes, static_cast<std::int32_t>(value));
        break;
      case DataType::I64:
        append(bytes, static_cast<std::int64_t>(value));
        break;
      case DataType::U8:
        append(bytes, static_cast<std::uint8_t>(value));
        break;
    }
  }
  return bytes;
}

}  // namespace lockstep::test

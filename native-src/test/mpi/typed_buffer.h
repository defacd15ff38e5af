#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "half_reference.h"
#include "lockstep/types.h"

namespace lockstep::test {

/// Elements of any DataType, written and read as doubles.
class TypedBuffer {
 public:
  TypedBuffer(DataType type, std::size_t count) : type_(type), count_(count), bytes_((count + 1) * width()) {}

  DataType type() const { return type_; }
  std::size_t count() const { return count_; }
  std::int64_t address() { return count_ == 0 ? 0 : reinterpret_cast<std::int64_t>(bytes_.data()); }

  void set(std::size_t index, double value) {
    switch (type_) {
      case DataType::F32:
        return store(index, static_cast<float>(value));
      case DataType::F64:
        return store(index, value);
      case DataType::F16:
        return store(index, F16.narrow(static_cast<float>(value)));
      case DataType::BF16:
        return store(index, BF16.narrow(static_cast<float>(value)));
      case DataType::I32:
        return store(index, static_cast<std::int32_t>(value));
      case DataType::I64:
        return store(index, static_cast<std::int64_t>(value));
      case DataType::U8:
        return store(index, static_cast<std::uint8_t>(value));
    }
  }

  double get(std::size_t index) const {
    switch (type_) {
      case DataType::F32:
        return load<float>(index);
      case DataType::F64:
        return load<double>(index);
      case DataType::F16:
        return F16.widen(load<std::uint16_t>(index));
      case DataType::BF16:
        return BF16.widen(load<std::uint16_t>(index));
      case DataType::I32:
        return load<std::int32_t>(index);
      case DataType::I64:
        return static_cast<double>(load<std::int64_t>(index));
      case DataType::U8:
        break;
    }
    return load<std::uint8_t>(index);
  }

 private:
  std::size_t width() const {
    constexpr std::size_t WIDTHS[] = {4, 8, 2, 2, 4, 8, 1};
    return WIDTHS[static_cast<std::size_t>(type_)];
  }

  template <typename T>
  void store(std::size_t index, T value) {
    std::memcpy(bytes_.data() + index * sizeof(T), &value, sizeof(T));
  }

  template <typename T>
  T load(std::size_t index) const {
    T value;
    std::memcpy(&value, bytes_.data() + index * sizeof(T), sizeof(T));
    return value;
  }

  DataType type_;
  std::size_t count_;
  std::vector<std::byte> bytes_;
};

}  // namespace lockstep::test

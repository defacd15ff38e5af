#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "lockstep/types.h"

namespace lockstep::gradient {

/// The floating-point types, which have the first codes of DataType.
constexpr std::size_t FLOATING_TYPES = 4;

/// Bytes of one element of optimiser state: F64 for F64 parameters, F32 otherwise.
constexpr std::size_t state_bytes(DataType type) {
  return type == DataType::F64 ? sizeof(double) : sizeof(float);
}

/// Checks the arguments of one call; every failure is an Error INVALID_ARGUMENT that names the function, the
/// argument and the value.
class Arguments {
 public:
  /// @param function its name, for messages
  explicit Arguments(const char* function) : function_(function) {}

  /// Elements as a size.
  std::size_t count(std::int64_t count) const;

  /// The index of a floating-point type in a kernel table.
  std::size_t floating_type(std::int32_t type) const;

  /// The memory at an address that may be null only when there are no elements.
  void* address(const char* name, std::int64_t address, std::int64_t count) const;

  void at_least_one(const char* name, std::int64_t value) const;
  void finite(const char* name, double value) const;
  /// @return the value as F32; refused if it is not finite or beyond the largest
  float finite_float(const char* name, double value) const;
  void finite_and_not_negative(const char* name, double value) const;
  /// 0 ≤ value < 1
  void fraction(const char* name, double value) const;

  [[noreturn]] void refuse(const char* name, const std::string& value, const std::string& demand) const;

 private:
  const char* function_;
};

}  // namespace lockstep::gradient

#include "gradient/arguments.h"

#include <cmath>
#include <limits>
#include <sstream>

#include "lockstep/error.h"

namespace lockstep::gradient {
namespace {

std::string text_of(double value) {
  std::ostringstream text;
  text << value;
  return text.str();
}

}  // namespace

std::size_t Arguments::count(std::int64_t count) const {
  if (count < 0) refuse("count", std::to_string(count), "must not be negative");
  return static_cast<std::size_t>(count);
}

std::size_t Arguments::floating_type(std::int32_t type) const {
  static_assert(static_cast<int>(DataType::F32) == 0 && static_cast<int>(DataType::F64) == 1 &&
                static_cast<int>(DataType::F16) == 2 && static_cast<int>(DataType::BF16) == 3);
  auto index = static_cast<std::size_t>(type);
  if (index >= FLOATING_TYPES) {
    refuse("type", std::to_string(type), "must be the code of F32 (0), F64 (1), F16 (2) or BF16 (3)");
  }
  return index;
}

void* Arguments::address(const char* name, std::int64_t address, std::int64_t count) const {
  if (address == 0 && count > 0) {
    refuse(name, "0", "must be the address of " + std::to_string(count) + " elements");
  }
  return reinterpret_cast<void*>(static_cast<std::intptr_t>(address));
}

void Arguments::at_least_one(const char* name, std::int64_t value) const {
  if (value < 1) refuse(name, std::to_string(value), "must be at least 1");
}

void Arguments::finite(const char* name, double value) const {
  if (!std::isfinite(value)) refuse(name, text_of(value), "must be finite");
}

float Arguments::finite_float(const char* name, double value) const {
  constexpr double LARGEST = std::numeric_limits<float>::max();
  if (!(std::abs(value) <= LARGEST)) refuse(name, text_of(value), "must be finite as a float");
  return static_cast<float>(value);
}

void Arguments::finite_and_not_negative(const char* name, double value) const {
  if (!std::isfinite(value) || value < 0) refuse(name, text_of(value), "must be finite and not negative");
}

void Arguments::fraction(const char* name, double value) const {
  if (!(value >= 0 && value < 1)) refuse(name, text_of(value), "must be at least 0 and less than 1");
}

void Arguments::refuse(const char* name, const std::string& value, const std::string& demand) const {
  throw Error(ErrorCode::INVALID_ARGUMENT, std::string(function_) + " was called with " + name + " = " +
                                               value + ", which " + demand + ".");
}

}  // namespace lockstep::gradient

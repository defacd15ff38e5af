#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace lockstep::splitting {

/// "sensor 4", "sensors 4, 7 and 9", "sensors 4, 7, 9, 11, 12 and 30 more": messages stay readable at any
/// size.
std::string named(std::span<const std::int32_t> sensors);

/// @throws Error INVALID_ARGUMENT
[[noreturn]] void refuse_network(const std::string& message);

}  // namespace lockstep::splitting

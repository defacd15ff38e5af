#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lockstep/export.h"
#include "lockstep/types.h"

namespace lockstep {

/// As in configurations and reports: "recursive-doubling".
LOCKSTEP_API std::string name_of(Algorithm algorithm);

/// The inverse of name_of().
LOCKSTEP_API std::optional<Algorithm> algorithm_from(std::string_view name);

/// INVALID_ARGUMENT for a code that is none.
Algorithm algorithm_from(std::int32_t code);

}  // namespace lockstep

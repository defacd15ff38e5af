#pragma once

#include <string>
#include <string_view>

#include "lockstep/export.h"

namespace lockstep {

enum class LogLevel { INFO, WARN };

/// Queues a notice that the host application fetches with take_log_line(). Never blocks on I/O, never throws;
/// at most 1,000 are kept, and the newest then says how many were dropped. Native code prints nothing itself.
LOCKSTEP_API void log_notice(LogLevel level, std::string_view message) noexcept;

/// The oldest notice as "LEVEL message", or an empty string.
std::string take_notice();

}  // namespace lockstep

#pragma once

namespace lockstep::test {

// What a sanitizer looks for does not depend on how much is computed, and it makes computing slow.
#if defined(__SANITIZE_THREAD__)
constexpr bool HAS_THREAD_SANITIZER = true;
#else
constexpr bool HAS_THREAD_SANITIZER = false;
#endif
#if defined(__SANITIZE_ADDRESS__)
constexpr bool IS_SANITIZED = true;
#else
constexpr bool IS_SANITIZED = HAS_THREAD_SANITIZER;
#endif

}  // namespace lockstep::test

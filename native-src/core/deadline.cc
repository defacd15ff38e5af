#include "core/deadline.h"

#include "core/seconds.h"
#include "lockstep/error.h"

namespace lockstep {

double checked_timeout(double seconds) {
  // 30 years: more would overflow a clock that counts nanoseconds in 64 bits.
  constexpr double LONGEST = 1e9;
  if (!(seconds > 0)) {
    throw Error(ErrorCode::INVALID_ARGUMENT,
                "A timeout of " + seconds_text(seconds) + " is not positive; give the seconds to wait.");
  }
  return std::min(seconds, LONGEST);
}

}  // namespace lockstep

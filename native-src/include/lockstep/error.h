#pragma once

#include <stdexcept>
#include <string>

#include "lockstep/export.h"
#include "lockstep/types.h"

namespace lockstep {

/// The one exception type of the native side. what() is a full sentence for the user: what was being done,
/// with whom, what to do about it.
class LOCKSTEP_API Error : public std::runtime_error {
 public:
  static constexpr int NO_RANK = -1;

  Error(ErrorCode code, const std::string& message, int rank = NO_RANK);

  ErrorCode code() const noexcept { return code_; }

  /// The rank at fault (that died, that is awaited, that disagrees), or NO_RANK.
  int rank() const noexcept { return rank_; }

  /// How the error crosses the JNI boundary: "lockstep:CODE:RANK:MESSAGE", in modified UTF-8 whatever bytes
  /// came from a peer or from the system.
  const char* encoded() const noexcept { return encoded_.c_str(); }

 private:
  ErrorCode code_;
  int rank_;
  std::string encoded_;
};

}  // namespace lockstep

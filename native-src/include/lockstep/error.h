#pragma once

#include <cstdint>
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

  /// Who counts the rank of an error: the group whose operation failed or, where that is one level of a
  /// larger group (the ranks of a host), that larger group.
  enum class Numbering : std::int32_t { GROUP = 0, WHOLE = 1 };

  Error(ErrorCode code, const std::string& message, int rank = NO_RANK,
        Numbering numbering = Numbering::GROUP);

  ErrorCode code() const noexcept { return code_; }

  /// The rank at fault (that died, that is awaited, that disagrees), or NO_RANK.
  int rank() const noexcept { return rank_; }
  Numbering numbering() const noexcept { return numbering_; }

  /// How the error crosses the JNI boundary: "lockstep:CODE:RANK:MESSAGE", in modified UTF-8 whatever bytes
  /// came from a peer or from the system.
  const char* encoded() const noexcept { return encoded_.c_str(); }

 private:
  ErrorCode code_;
  int rank_;
  Numbering numbering_;
  std::string encoded_;
};

}  // namespace lockstep

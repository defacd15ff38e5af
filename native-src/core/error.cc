#include "lockstep/error.h"

#include "core/utf8.h"

namespace lockstep {

Error::Error(ErrorCode code, const std::string& message, int rank, Numbering numbering)
    : std::runtime_error(message),
      code_(code),
      rank_(rank),
      numbering_(numbering),
      encoded_("lockstep:" + std::to_string(static_cast<int>(code)) + ":" + std::to_string(rank) + ":" +
               modified_utf8(message)) {}

}  // namespace lockstep

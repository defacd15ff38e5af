#pragma once

#include <cstdint>

#include "collective/communicator/request.h"
#include "transport/transport.h"

namespace lockstep {

/// What every rank of a collective can know about it before a message has come.
Signature signature_of(const Request& request, std::uint64_t sequence);

}  // namespace lockstep

#pragma once

#include <optional>
#include <string>

#include "transport/tcp/handshake/handshake.h"
#include "transport/tcp/handshake/stream.h"

namespace lockstep::tcp {

/// Connects to `endpoint`. @return nothing when nobody listens there or the deadline has passed; errno says
/// why
std::optional<Descriptor> connect_to(const Endpoint& endpoint, const Deadline& deadline,
                                     const WhileWaiting& while_waiting = JUST_WAIT);

/// The connecting side's handshake; fills in the hello's nonce.
/// @param where names the other side in messages: "rank 0 at 127.0.0.1:29500"
/// @return ENDED when the other side broke off without a word
/// @throws Error RENDEZVOUS when either side refuses the other
Step shake_hands(const Descriptor& socket, Hello& hello, const std::string& token, const std::string& where,
                 const Deadline& deadline, const WhileWaiting& while_waiting = JUST_WAIT);

}  // namespace lockstep::tcp

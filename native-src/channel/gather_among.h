#pragma once

#include <cstddef>
#include <span>

#include "channel/channels.h"

namespace lockstep {

/// Collective over `members`: `bytes` bytes of each, one after the other in the members' order, over
/// channels.
/// @param tag above those that users have
/// @throws Error TIMEOUT, PEER_FAILED naming the member
void gather_among(Channels& channels, std::span<const int> members, int tag, const void* own, void* all,
                  std::size_t bytes, Channels::Seconds limit);

/// The first tag that no user can give.
constexpr int FIRST_INTERNAL_TAG = 1 << 15;

}  // namespace lockstep

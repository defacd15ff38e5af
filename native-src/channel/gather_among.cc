#include "channel/gather_among.h"

#include <cstring>
#include <string>
#include <vector>

namespace lockstep {

void gather_among(Channels& channels, std::span<const int> members, int tag, const void* own, void* all,
                  std::size_t bytes, Channels::Seconds limit) {
  auto* const to = static_cast<std::byte*>(all);
  std::vector<Transfer> transfers;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (members[i] == channels.rank()) {
      std::memcpy(to + i * bytes, own, bytes);
      continue;
    }
    auto* const from = const_cast<std::byte*>(static_cast<const std::byte*>(own));
    transfers.push_back({true, DataType::U8, members[i], tag, from, bytes});
    transfers.push_back({false, DataType::U8, members[i], tag, to + i * bytes, bytes});
  }
  if (channels.exchange(transfers, limit)) return;
  if (is_interrupted()) throw interrupted_error(channels.rank(), "shrink()");
  throw Error(ErrorCode::TIMEOUT,
              "Rank " + std::to_string(channels.rank()) + " waited " + std::to_string(limit.count()) +
                  " s for the other survivors to shrink the group to the same ranks; some "
                  "of them has not called shrink(), or with other ranks.");
}

}  // namespace lockstep

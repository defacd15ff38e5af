#include "collective/shared_memory/direct_broadcast.h"

#include "collective/shared_memory/direct.h"
#include "core/data_type.h"

namespace lockstep {

void direct_broadcast(const DirectBroadcastOptions& options) {
  using namespace direct;
  const Meeting meeting(options.collective);
  const bool at_root = meeting.rank() == options.root;
  const std::size_t bytes = options.count * size_of(meeting.signature().type);
  const bool fits_in_announcement = Meeting::fits_in_announcement(bytes);
  const Pieces pieces(bytes, meeting.memory().staging_bytes());
  RegisteredOffsets own;
  if (at_root && fits_in_announcement) {
    meeting.announce({options.data, bytes});
  } else {
    if (at_root) own.input = meeting.registered(options.data, bytes);
    if (at_root && own.input == RegisteredOffsets::PRIVATE)
      std::memcpy(meeting.next_piece(), options.data, pieces[0].end);
    meeting.announce(own.bytes());
  }
  const std::byte* announced = nullptr;
  for (int peer = 0; peer < meeting.size(); ++peer) {
    if (peer == meeting.rank()) continue;
    const std::byte* const theirs = meeting.announced_by(peer);
    if (peer == options.root) announced = theirs;
  }
  if (!at_root) meeting.count_read(options.root, bytes);
  if (fits_in_announcement) {
    if (!at_root && bytes > 0) std::memcpy(options.data, announced, bytes);
    return;
  }
  const RegisteredOffsets roots = at_root ? own : RegisteredOffsets::from(announced);
  if (roots.input != RegisteredOffsets::PRIVATE) {
    if (!at_root) std::memcpy(options.data, meeting.memory().registered(options.root, roots.input), bytes);
    return meeting.meet();
  }
  for (std::size_t piece = 0; piece < pieces.size(); ++piece) {
    const Range range = pieces[piece];
    if (piece > 0) {
      if (at_root) std::memcpy(meeting.next_piece(), options.data + range.begin, range.count());
      meeting.meet();
    }
    if (!at_root) std::memcpy(options.data + range.begin, meeting.piece_of(options.root), range.count());
  }
}

}  // namespace lockstep

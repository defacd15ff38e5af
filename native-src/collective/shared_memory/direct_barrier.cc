#include "collective/shared_memory/direct_barrier.h"

#include "collective/shared_memory/direct.h"

namespace lockstep {

void direct_barrier(const CollectiveContext& collective) {
  const direct::Meeting meeting(collective);
  meeting.announce({});
  for (int peer = 0; peer < meeting.size(); ++peer) {
    if (peer != meeting.rank()) meeting.announced_by(peer);
  }
}

}  // namespace lockstep

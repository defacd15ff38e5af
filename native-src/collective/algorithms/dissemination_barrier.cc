#include "collective/algorithms/dissemination_barrier.h"

namespace lockstep {

void dissemination_barrier(const Collective& collective) {
  Transport& transport = collective.transport;
  const int ranks = collective.size();
  const int rank = collective.rank();
  for (int distance = 1; distance < ranks; distance *= 2) {
    const int from = (rank + ranks - distance) % ranks;
    const auto receive = transport.post_receive(from, collective.signature, nullptr, 0);
    const auto send = transport.post_send((rank + distance) % ranks, collective.signature, nullptr, 0);
    transport.wait(receive, collective.deadline);
    transport.wait(send, collective.deadline);
  }
}

}  // namespace lockstep

#include "collective/algorithms/pairwise_all_to_all.h"

#include <cstring>

#include "core/data_type.h"

namespace lockstep {

void pairwise_all_to_all(const PairwiseAllToAllOptions& options) {
  const Collective& collective = options.collective;
  Transport& transport = collective.transport;
  const int ranks = collective.size();
  const int rank = collective.rank();
  const std::size_t bytes = options.count * size_of(collective.signature.type);
  if (bytes > 0) std::memcpy(options.output + rank * bytes, options.input + rank * bytes, bytes);
  std::vector<Transport::Ticket> tickets;
  for (int step = 1; step < ranks; ++step) {
    const int from = (rank + ranks - step) % ranks;
    const int to = (rank + step) % ranks;
    tickets.push_back(
        transport.post_receive(from, collective.signature, options.output + from * bytes, bytes));
    tickets.push_back(transport.post_send(to, collective.signature, options.input + to * bytes, bytes));
  }
  transport.wait_all(tickets, collective.deadline);
}

}  // namespace lockstep

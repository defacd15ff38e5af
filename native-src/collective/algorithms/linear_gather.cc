#include "collective/algorithms/linear_gather.h"

#include <cstring>

#include "core/data_type.h"

namespace lockstep {

void linear_gather(const LinearGatherOptions& options) {
  const Collective& collective = options.collective;
  Transport& transport = collective.transport;
  const std::size_t element_bytes = size_of(collective.signature.type);
  const std::size_t own_bytes = options.count * element_bytes;
  if (collective.rank() != options.root) {
    transport.wait(transport.post_send(options.root, collective.signature, options.input, own_bytes),
                   collective.deadline);
    return;
  }
  std::vector<Transport::Ticket> receives;
  for (int rank = 0; rank < collective.size(); ++rank) {
    std::byte* block = options.output + options.blocks->offset(rank) * element_bytes;
    if (rank != options.root) {
      const std::size_t bytes = options.blocks->count(rank) * element_bytes;
      receives.push_back(transport.post_receive(rank, collective.signature, block, bytes));
    } else if (own_bytes > 0) {
      std::memcpy(block, options.input, own_bytes);
    }
  }
  transport.wait_all(receives, collective.deadline);
}

}  // namespace lockstep

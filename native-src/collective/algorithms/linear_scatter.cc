#include "collective/algorithms/linear_scatter.h"

#include <cstring>

#include "core/data_type.h"

namespace lockstep {

void linear_scatter(const LinearScatterOptions& options) {
  const Collective& collective = options.collective;
  Transport& transport = collective.transport;
  const std::size_t element_bytes = size_of(collective.signature.type);
  const std::size_t own_bytes = options.count * element_bytes;
  if (collective.rank() != options.root) {
    transport.wait(transport.post_receive(options.root, collective.signature, options.output, own_bytes),
                   collective.deadline);
    return;
  }
  std::vector<Transport::Ticket> sends;
  for (int rank = 0; rank < collective.size(); ++rank) {
    const std::byte* block = options.input + options.blocks->offset(rank) * element_bytes;
    if (rank != options.root) {
      const std::size_t bytes = options.blocks->count(rank) * element_bytes;
      sends.push_back(transport.post_send(rank, collective.signature, block, bytes));
    } else if (own_bytes > 0) {
      std::memcpy(options.output, block, own_bytes);
    }
  }
  transport.wait_all(sends, collective.deadline);
}

}  // namespace lockstep

#include "collective/algorithms/linear.h"

#include <cstring>

#include "core/data_type.h"

namespace lockstep {

void linear_scatter(const LinearScatterOptions& options) {
  const CollectiveContext& collective = options.collective;
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

void linear_gather(const LinearGatherOptions& options) {
  const CollectiveContext& collective = options.collective;
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

void pairwise_all_to_all(const PairwiseAllToAllOptions& options) {
  const CollectiveContext& collective = options.collective;
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

void dissemination_barrier(const CollectiveContext& collective) {
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

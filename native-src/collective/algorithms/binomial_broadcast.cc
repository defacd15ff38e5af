#include "collective/algorithms/binomial_broadcast.h"

#include <algorithm>
#include <ranges>

#include "collective/algorithms/binomial_tree.h"

namespace lockstep {

void binomial_broadcast(const BinomialBroadcastOptions& options) {
  const Collective& collective = options.collective;
  Transport& transport = collective.transport;
  const BinomialTree tree(collective.rank(), collective.size(), options.root);
  const std::size_t segment_bytes = std::max<std::size_t>(collective.segment_bytes, 1);
  const std::size_t segments = std::max<std::size_t>((options.bytes + segment_bytes - 1) / segment_bytes, 1);
  auto data = [&](std::size_t segment) { return options.data + segment * segment_bytes; };
  auto length = [&](std::size_t segment) {
    return std::min(segment_bytes, options.bytes - segment * segment_bytes);
  };

  std::vector<Transport::Ticket> receives;
  if (tree.parent >= 0) {
    for (std::size_t segment = 0; segment < segments; ++segment) {
      receives.push_back(
          transport.post_receive(tree.parent, collective.signature, data(segment), length(segment)));
    }
  }
  std::vector<Transport::Ticket> sends;
  for (std::size_t segment = 0; segment < segments; ++segment) {
    if (tree.parent >= 0) transport.wait(receives[segment], collective.deadline);
    // The largest subtree has the longest way to go.
    for (int child : tree.children | std::views::reverse) {
      sends.push_back(transport.post_send(child, collective.signature, data(segment), length(segment)));
    }
  }
  transport.wait_all(sends, collective.deadline);
}

}  // namespace lockstep

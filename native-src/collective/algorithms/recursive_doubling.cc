#include "collective/algorithms/recursive_doubling.h"

#include <bit>
#include <cstring>

#include "core/data_type.h"
#include "core/reduce.h"

namespace lockstep {

namespace {

/// The exchanges of one rank, with its vector in `output`.
class Exchange {
 public:
  Exchange(const CollectiveContext& collective, std::byte* output, std::size_t count)
      : collective_(collective),
        output_(output),
        count_(count),
        bytes_(count * size_of(collective.signature.type)),
        received_(collective.scratch.reserve(bytes_)) {}

  void send(int peer) { wait(collective_.transport.post_send(peer, collective_.signature, output_, bytes_)); }

  void receive(int peer) {
    wait(collective_.transport.post_receive(peer, collective_.signature, output_, bytes_));
  }

  void receive_and_combine(int peer) {
    wait(collective_.transport.post_receive(peer, collective_.signature, received_, bytes_));
    combine(peer);
  }

  void swap_and_combine(int peer) {
    Transport& transport = collective_.transport;
    const auto receive = transport.post_receive(peer, collective_.signature, received_, bytes_);
    const auto send = transport.post_send(peer, collective_.signature, output_, bytes_);
    wait(receive);
    wait(send);
    combine(peer);
  }

 private:
  void wait(Transport::Ticket ticket) { collective_.transport.wait(ticket, collective_.deadline); }

  void combine(int peer) {
    const Signature& signature = collective_.signature;
    const bool peer_is_left = peer < collective_.rank();
    reduce_pair(output_, peer_is_left ? received_ : output_, peer_is_left ? output_ : received_, count_,
                signature.type, signature.op);
  }

  const CollectiveContext& collective_;
  std::byte* const output_;
  const std::size_t count_;
  const std::size_t bytes_;
  std::byte* const received_;
};

}  // namespace

void recursive_doubling_all_reduce(const RecursiveDoublingAllReduceOptions& options) {
  const CollectiveContext& collective = options.collective;
  const Signature& signature = collective.signature;
  if (options.input != options.output && options.count > 0) {
    std::memcpy(options.output, options.input, options.count * size_of(signature.type));
  }
  const int rank = collective.rank();
  const int power = static_cast<int>(std::bit_floor(static_cast<unsigned>(collective.size())));
  const int folded = 2 * (collective.size() - power);
  Exchange exchange(collective, options.output, options.count);

  if (rank < folded && rank % 2 == 0) {
    exchange.send(rank + 1);
    exchange.receive(rank + 1);
    return;
  }
  if (rank < folded) exchange.receive_and_combine(rank - 1);
  // Numbers among the ranks that are left, and back.
  const int number = rank < folded ? rank / 2 : rank - folded / 2;
  auto rank_of = [&](int other) { return other < folded / 2 ? 2 * other + 1 : other + folded / 2; };
  for (int bit = 1; bit < power; bit *= 2) exchange.swap_and_combine(rank_of(number ^ bit));
  if (signature.op == ReduceOp::AVERAGE) {
    finish_average(options.output, options.count, signature.type, collective.size());
  }
  if (rank < folded) exchange.send(rank - 1);
}

}  // namespace lockstep

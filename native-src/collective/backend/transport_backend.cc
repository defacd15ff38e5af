#include "collective/backend/transport_backend.h"

#include <array>
#include <cstring>
#include <utility>

#include "channel/wire.h"
#include "collective/algorithms/binomial_tree.h"
#include "collective/algorithms/double_binary_tree.h"
#include "collective/algorithms/halving_doubling.h"
#include "collective/algorithms/linear.h"
#include "collective/algorithms/recursive_doubling.h"
#include "collective/algorithms/ring.h"
#include "collective/backend/single_backend.h"
#include "collective/choice/signature_of.h"
#include "collective/shared_memory/run_direct.h"
#include "core/data_type.h"

namespace lockstep {
namespace {

/// A RECEIVE posts what its SEND posted.
Signature point_to_point_signature(const Request& request) {
  Signature signature;
  signature.operation = Operation::SEND;
  signature.type = request.type;
  signature.tag = request.tag;
  signature.count = request.count;
  return signature;
}

Blocks blocks_of(const Request& request, int ranks) {
  return request.counts.empty() ? Blocks::of_equal_count(request.count, ranks)
                                : Blocks::of_counts(request.counts);
}

}  // namespace

TransportBackend::TransportBackend(std::unique_ptr<Transport> transport, const Tuning& tuning, int hosts)
    : tuning_(tuning), hosts_(hosts), transport_(std::move(transport)) {}

std::span<const Algorithm> TransportBackend::available_for(Operation operation) const {
  return transport_->shared_memory() != nullptr && has_direct_form(operation)
             ? algorithms_with_shared_memory(operation)
             : algorithms_of(operation);
}

void TransportBackend::use_algorithm(Operation operation, std::optional<Algorithm> algorithm) {
  chosen_.set(operation, algorithm, available_for(operation));
}

void TransportBackend::use_tuning(const Tuning& tuning, int hosts) {
  tuning_ = tuning;
  if (hosts != UNKNOWN_HOSTS) hosts_ = hosts;
}

Algorithm TransportBackend::choose(const Request& request) const {
  if (const auto chosen = chosen_.get(request.operation)) return *chosen;
  const std::span<const Algorithm> available = available_for(request.operation);
  if (available.size() == 1) return available.front();
  return select(request.operation, tuned_bytes(request, size()), {size(), hosts_}, tuning_, available);
}

std::unique_ptr<Wire> TransportBackend::take_wire() { return transport_->take_wire(); }

CollectiveContext TransportBackend::collective(const Signature& signature, const Deadline& deadline) {
  return {*transport_, deadline, signature, scratch_, tuning_.segment_bytes};
}

int TransportBackend::execute(const Request& request, const Deadline& deadline) {
  last_algorithm_ = Algorithm::NONE;
  if (request.operation == Operation::SEND) return send(request, deadline);
  if (request.operation == Operation::RECEIVE) return receive(request, deadline);
  last_algorithm_ = request.operation == Operation::REDUCE_STEP ? Algorithm::DIRECT : choose(request);
  Signature signature = signature_of(request, ++sequence_);
  signature.algorithm = last_algorithm_;
  const CollectiveContext collective = this->collective(signature, deadline);
  if (last_algorithm_ == Algorithm::DIRECT) {
    run_direct(request, collective);
  } else if (WidenedAverage::applies(request)) {
    run_widened(request, collective);
  } else {
    run(request, collective);
  }
  return 0;
}

bool TransportBackend::overlaps_pieces(const Request& whole) const {
  return !WidenedAverage::applies(whole) && choose(whole) == Algorithm::RING;
}

// All pieces are messages of one collective: ranks that disagree are found out as in any other.
void TransportBackend::all_reduce_pieces(const Request& whole, const Pieces& pieces,
                                         const Deadline& deadline) {
  if (!overlaps_pieces(whole)) return Backend::all_reduce_pieces(whole, pieces, deadline);
  last_algorithm_ = Algorithm::RING;
  Signature signature = signature_of(whole, ++sequence_);
  signature.algorithm = last_algorithm_;
  const CollectiveContext collectives[2] = {
      {*transport_, deadline, signature, piece_scratch_[0], tuning_.segment_bytes},
      {*transport_, deadline, signature, piece_scratch_[1], tuning_.segment_bytes}};
  std::optional<RingAllReduce> rings[2];
  for (int piece = 0; piece <= pieces.number; ++piece) {
    if (piece < pieces.number) {
      const Request part = pieces.make(piece);
      rings[piece % 2].emplace(
          RingAllReduceOptions{collectives[piece % 2], part.input, part.output, part.count});
    }
    if (piece > 0) {
      rings[(piece - 1) % 2]->finish();
      pieces.take(piece - 1);
    }
  }
}

void TransportBackend::run_widened(const Request& request, CollectiveContext collective) {
  // The messages are F32; the tag, which collectives do not use, tells the ranks that average F16.
  collective.signature.tag = static_cast<std::int32_t>(request.type);
  collective.signature.type = DataType::F32;
  widened_.run(request, size(), [&](const Request& wide) { run(wide, collective); });
}

int TransportBackend::send(const Request& request, const Deadline& deadline) {
  transport_->wait(transport_->post_send(request.root_or_peer, point_to_point_signature(request),
                                         request.input, request.count * size_of(request.type)),
                   deadline);
  return 0;
}

int TransportBackend::receive(const Request& request, const Deadline& deadline) {
  return transport_->wait(transport_->post_receive(request.root_or_peer, point_to_point_signature(request),
                                                   request.output, request.count * size_of(request.type)),
                          deadline);
}

void TransportBackend::run(const Request& request, const CollectiveContext& collective) {
  const int ranks = collective.size();
  const int root = request.root_or_peer;
  switch (request.operation) {
    case Operation::BROADCAST: {
      const std::size_t bytes = request.count * size_of(request.type);
      if (rank() == root && request.input != request.output)
        std::memcpy(request.output, request.input, bytes);
      return binomial_broadcast({collective, root, request.output, bytes});
    }
    case Operation::SCATTER: {
      const Blocks blocks = blocks_of(request, ranks);
      return linear_scatter({collective, root, request.input, &blocks, request.output, request.count});
    }
    case Operation::GATHER: {
      const Blocks blocks = blocks_of(request, ranks);
      return linear_gather({collective, root, request.input, request.count, request.output, &blocks});
    }
    case Operation::ALL_GATHER:
      return ring_all_gather({collective, blocks_of(request, ranks), request.input, request.output});
    case Operation::REDUCE:
      return binomial_reduce({collective, root, request.input, request.output, request.count});
    case Operation::REDUCE_SCATTER:
      return ring_reduce_scatter({collective, blocks_of(request, ranks), request.input, request.output});
    case Operation::ALL_REDUCE:
      return all_reduce(request, collective);
    case Operation::ALL_TO_ALL:
      return pairwise_all_to_all({collective, request.input, request.output, request.count});
    case Operation::BARRIER:
      return dissemination_barrier(collective);
    case Operation::SEND:
    case Operation::RECEIVE:
    case Operation::SPLIT:
    case Operation::REDUCE_STEP:
      break;
  }
  throw Error(ErrorCode::INVALID_ARGUMENT,
              name_of(request.operation) + " is not a collective that a request can ask for.");
}

void TransportBackend::all_reduce(const Request& request, const CollectiveContext& collective) {
  const std::byte* input = request.input;
  std::byte* output = request.output;
  const std::size_t count = request.count;
  switch (collective.signature.algorithm) {
    case Algorithm::RECURSIVE_DOUBLING:
      return recursive_doubling_all_reduce({collective, input, output, count});
    case Algorithm::HALVING_DOUBLING:
      return halving_doubling_all_reduce({collective, input, output, count});
    case Algorithm::BINOMIAL_TREE:
      return binomial_tree_all_reduce({collective, input, output, count});
    case Algorithm::DOUBLE_BINARY_TREE:
      return double_binary_tree_all_reduce({collective, input, output, count});
    default:
      return ring_all_reduce({collective, input, output, count});
  }
}

std::unique_ptr<Backend> TransportBackend::split(int color, int key, const Deadline& deadline) {
  Signature signature;
  signature.operation = Operation::SPLIT;
  signature.algorithm = Algorithm::RING;
  signature.sequence = ++sequence_;
  const SplitKey own{color, key};
  choices_.resize(static_cast<std::size_t>(size()));
  ring_all_gather({collective(signature, deadline), Blocks::of_equal_count(sizeof(SplitKey), size()),
                   reinterpret_cast<const std::byte*>(&own), reinterpret_cast<std::byte*>(choices_.data())});
  std::unique_ptr<Transport> child = transport_->split(members_of(choices_, color), deadline);
  if (child == nullptr) return nullptr;
  // Of several hosts, nobody here knows which of them the members are on.
  return make_backend(std::move(child), tuning_, hosts_ == 1 ? 1 : UNKNOWN_HOSTS);
}

std::unique_ptr<Backend> make_backend(std::unique_ptr<Transport> transport, const Tuning& tuning, int hosts) {
  if (transport->size() == 1) {
    transport->close();
    return std::make_unique<SingleBackend>();
  }
  return std::make_unique<TransportBackend>(std::move(transport), tuning, hosts);
}

}  // namespace lockstep

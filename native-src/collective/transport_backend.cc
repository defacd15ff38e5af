#include "collective/transport_backend.h"

#include <array>
#include <cstring>
#include <utility>

#include "collective/binomial_broadcast.h"
#include "collective/binomial_reduce.h"
#include "collective/choice.h"
#include "collective/direct/run_direct.h"
#include "collective/dissemination_barrier.h"
#include "collective/linear_gather.h"
#include "collective/linear_scatter.h"
#include "collective/pairwise_all_to_all.h"
#include "collective/recursive_doubling_all_reduce.h"
#include "collective/ring_all_gather.h"
#include "collective/ring_all_reduce.h"
#include "collective/ring_reduce_scatter.h"
#include "collective/signature_of.h"
#include "collective/single_backend.h"
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

TransportBackend::TransportBackend(std::unique_ptr<Transport> transport, const Tuning& tuning)
    : tuning_(tuning), transport_(std::move(transport)) {}

Collective TransportBackend::collective(const Signature& signature, const Deadline& deadline) {
  return {*transport_, deadline, signature, scratch_, tuning_.segment_bytes};
}

int TransportBackend::execute(const Request& request, const Deadline& deadline) {
  if (request.operation == Operation::SEND) return send(request, deadline);
  if (request.operation == Operation::RECEIVE) return receive(request, deadline);
  const Collective collective = this->collective(signature_of(request, ++sequence_), deadline);
  if (transport_->shared_memory() != nullptr && has_direct_form(request.operation)) {
    run_direct(request, collective);
  } else {
    run(request, collective);
  }
  return 0;
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

void TransportBackend::run(const Request& request, const Collective& collective) {
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
      break;
  }
  throw Error(ErrorCode::INVALID_ARGUMENT,
              name_of(request.operation) + " is not a collective that a request can ask for.");
}

void TransportBackend::all_reduce(const Request& request, const Collective& collective) {
  switch (select_all_reduce(request.count * size_of(request.type), tuning_)) {
    case AllReduceAlgorithm::RECURSIVE_DOUBLING:
      return recursive_doubling_all_reduce({collective, request.input, request.output, request.count});
    case AllReduceAlgorithm::RING:
      return ring_all_reduce({collective, request.input, request.output, request.count});
  }
}

std::unique_ptr<Backend> TransportBackend::split(int color, int key, const Deadline& deadline) {
  Signature signature;
  signature.operation = Operation::SPLIT;
  signature.sequence = ++sequence_;
  const Choice own{color, key};
  std::vector<Choice> choices(static_cast<std::size_t>(size()));
  ring_all_gather({collective(signature, deadline), Blocks::of_equal_count(sizeof(Choice), size()),
                   reinterpret_cast<const std::byte*>(&own), reinterpret_cast<std::byte*>(choices.data())});
  std::unique_ptr<Transport> child = transport_->split(members_of(choices, color), deadline);
  return child == nullptr ? nullptr : make_backend(std::move(child), tuning_);
}

std::unique_ptr<Backend> make_backend(std::unique_ptr<Transport> transport, const Tuning& tuning) {
  if (transport->size() == 1) {
    transport->close();
    return std::make_unique<SingleBackend>();
  }
  return std::make_unique<TransportBackend>(std::move(transport), tuning);
}

}  // namespace lockstep

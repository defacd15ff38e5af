#include "splitting/network/messages.h"

#include <algorithm>

namespace lockstep::splitting {
namespace {

RawRequest request_of(Operation operation, std::size_t count) {
  return {.operation = static_cast<std::int32_t>(operation),
          .type = static_cast<std::int32_t>(DataType::F64),
          .op = static_cast<std::int32_t>(ReduceOp::MAX),
          .root_or_peer = 0,
          .tag = 0,
          .input = 0,
          .output = 0,
          .count = static_cast<std::int64_t>(count),
          .counts = 0};
}

std::int64_t address_of(const void* memory) { return reinterpret_cast<std::int64_t>(memory); }

}  // namespace

void send(Communicator& group, std::span<const double> values, int destination) {
  RawRequest request = request_of(Operation::SEND, values.size());
  request.root_or_peer = destination;
  request.input = address_of(values.data());
  group.run(request);
}

void receive(Communicator& group, std::span<double> values, int source) {
  RawRequest request = request_of(Operation::RECEIVE, values.size());
  request.root_or_peer = source;
  request.output = address_of(values.data());
  group.run(request);
}

double largest_of_all(Communicator& group, double value) {
  if (group.size() == 1) return value;
  RawRequest request = request_of(Operation::ALL_REDUCE, 1);
  request.input = address_of(&value);
  request.output = address_of(&value);
  group.run(request);
  return value;
}

void gather_all(Communicator& group, std::span<const double> own, std::span<double> all,
                const std::vector<std::int64_t>& counts) {
  if (group.size() == 1) {
    std::copy(own.begin(), own.end(), all.begin());
    return;
  }
  RawRequest request = request_of(Operation::ALL_GATHER, own.size());
  request.input = address_of(own.data());
  request.output = address_of(all.data());
  request.counts = address_of(counts.data());
  group.run(request);
}

}  // namespace lockstep::splitting

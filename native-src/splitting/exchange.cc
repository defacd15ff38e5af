#include "splitting/exchange.h"

#include <optional>

namespace lockstep::splitting {
namespace {

RawRequest request(Operation operation) {
  RawRequest raw{};
  raw.operation = static_cast<std::int32_t>(operation);
  raw.type = static_cast<std::int32_t>(DataType::F64);
  return raw;
}

std::int64_t address(const void* memory) {
  return static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(memory));
}

}  // namespace

Exchange::Exchange(Communicator& group, const Mixing& mixing) : group_(group), mixing_(mixing) {
  for (const Halo& halo : mixing.halos) staging_.emplace_back(halo.sent.size());
}

Exchange::~Exchange() {
  try {
    wait();                 // nothing may write here any more
  } catch (const Error&) {  // the caller has been told, or is on its way out with another one
  }
}

// Works run one after the other. All pairs of ranks have a place in one order, that of (lower, higher), and
// each rank takes its pairs in that order, the lower one sending first: so no two wait for each other.
void Exchange::post(double* values) {
  for (std::size_t i = 0; i < staging_.size(); ++i) {
    const Halo& halo = mixing_.halos[i];
    for (std::size_t k = 0; k < halo.sent.size(); ++k) staging_[i][k] = values[halo.sent[k]];
    RawRequest send = request(Operation::SEND), receive = request(Operation::RECEIVE);
    send.root_or_peer = receive.root_or_peer = halo.peer;
    send.input = address(staging_[i].data());
    send.count = static_cast<std::int64_t>(halo.sent.size());
    receive.output = address(values + halo.first_received);
    receive.count = halo.received;
    const bool sends_first = group_.rank() < halo.peer;
    works_.push_back(group_.start(sends_first ? send : receive));
    works_.push_back(group_.start(sends_first ? receive : send));
  }
}

void Exchange::wait() {
  std::vector<std::shared_ptr<Work>> works;
  works.swap(works_);
  std::optional<Error> first;
  for (const auto& work : works) {
    try {
      work->wait();
    } catch (const Error& error) {
      if (!first) first = error;
    }
  }
  if (first) throw Error(*first);
}

}  // namespace lockstep::splitting

#include "lockstep/statistics.h"

#include <algorithm>
#include <string>
#include <vector>

#include "channel/channels.h"
#include "collective/choice/algorithm.h"
#include "core/clock.h"
#include "jni/boundary.h"
#include "jni/communicators.h"

namespace lockstep {
namespace {

using Rows = std::vector<std::int64_t>;

std::int64_t hand_over(const Rows& rows, std::int64_t address, std::int64_t length) {
  const auto needed = static_cast<std::int64_t>(rows.size());
  if (length < 0 || (length > 0 && address <= 0)) {
    throw Error(ErrorCode::INVALID_ARGUMENT, "The room for statistics has a bad address or length.");
  }
  if (needed <= length) std::ranges::copy(rows, reinterpret_cast<std::int64_t*>(address));
  return needed;
}

Rows operation_rows(const Communicator& communicator) {
  Rows rows;
  for (int operation = 0; operation < OperationStatistics::OPERATIONS; ++operation) {
    for (int algorithm = 0; algorithm < OperationStatistics::ALGORITHMS; ++algorithm) {
      const OperationCounters* found = communicator.statistics().find(operation, algorithm);
      if (found == nullptr) continue;
      rows.insert(rows.end(), {operation, algorithm, found->calls.get(), found->failures.get(),
                               found->bytes.get(), found->nanoseconds.get(), found->waited_nanoseconds.get(),
                               found->longest_nanoseconds.get()});
      for (const Counter& bucket : found->histogram) rows.push_back(bucket.get());
    }
  }
  return rows;
}

Rows peer_rows(const Communicator& communicator) {
  Rows rows;
  const Traffic* traffic = communicator.traffic();
  const Channels* channels = communicator.channels_or_null();
  for (int rank = 0; traffic != nullptr && rank < traffic->size(); ++rank) {
    const PeerCounters& peer = traffic->peer(rank);
    rows.insert(rows.end(), {peer.messages_sent.get(), peer.bytes_sent.get(), peer.messages_received.get(),
                             peer.bytes_received.get(), peer.waited_nanoseconds.get()});
    if (channels == nullptr) continue;
    const PeerCounters& messages = channels->traffic().peer(rank);
    auto row = rows.end() - 5;
    for (const Counter* counter : {&messages.messages_sent, &messages.bytes_sent, &messages.messages_received,
                                   &messages.bytes_received, &messages.waited_nanoseconds}) {
      *row++ += counter->get();
    }
  }
  return rows;
}

Rows log_rows(const Communicator& communicator) {
  Rows rows;
  for (const OperationRecord& record : communicator.log().records()) {
    rows.insert(rows.end(),
                {record.number, static_cast<std::int64_t>(record.operation),
                 static_cast<std::int64_t>(record.type), static_cast<std::int64_t>(record.op),
                 record.root_or_peer, record.count, record.bytes, static_cast<std::int64_t>(record.algorithm),
                 record.state, record.queued ? 1 : 0, record.submitted, record.began, record.ended});
  }
  return rows;
}

}  // namespace

std::int64_t read_statistics(std::int64_t communicator, std::int64_t rows, std::int64_t length) {
  return at_boundary(
      [&] { return hand_over(operation_rows(*communicators().find(communicator)), rows, length); });
}

std::int64_t read_peer_statistics(std::int64_t communicator, std::int64_t rows, std::int64_t length) {
  return at_boundary([&] { return hand_over(peer_rows(*communicators().find(communicator)), rows, length); });
}

std::int64_t read_operation_log(std::int64_t communicator, std::int64_t rows, std::int64_t length) {
  return at_boundary([&] { return hand_over(log_rows(*communicators().find(communicator)), rows, length); });
}

void record_operations(std::int64_t communicator, std::int32_t operations) {
  at_boundary([&] {
    if (operations < 1 || operations > MOST_RECORDED_OPERATIONS) {
      throw Error(ErrorCode::INVALID_ARGUMENT,
                  "Cannot record " + std::to_string(operations) + " operations; from 1 to " +
                      std::to_string(MOST_RECORDED_OPERATIONS) + " are possible.");
    }
    communicators().find(communicator)->log().keep(static_cast<std::size_t>(operations));
  });
}

std::int64_t read_clock() {
  calibrate_clock();
  return clock_nanoseconds();
}

const char* algorithm_name(std::int32_t algorithm) {
  return at_boundary([&] {
    thread_local std::string name;
    name = name_of(static_cast<Algorithm>(algorithm));
    return name.c_str();
  });
}

void set_stall_seconds(std::int64_t communicator, double seconds) {
  at_boundary([&] { communicators().find(communicator)->set_stall_seconds(seconds); });
}

}  // namespace lockstep

#include "collective/hosts/host_backend.h"

#include <algorithm>
#include <cstring>

#include "channel/wire.h"
#include "collective/algorithms/ring.h"
#include "collective/backend/gather_values.h"
#include "collective/choice/signature_of.h"
#include "collective/hosts/split_key.h"
#include "core/data_type.h"
#include "core/reduce.h"

namespace lockstep {
namespace {

/// Averages are sums until they are complete.
Request as_sum(Request request) {
  if (request.op == ReduceOp::AVERAGE) request.op = ReduceOp::SUM;
  return request;
}

/// As ranks of the levels, where ranks have other numbers, are to pass it on.
Error of_whole_group(const Error& error) {
  return Error(error.code(), error.what(), error.rank(),
               error.rank() == Error::NO_RANK ? Error::Numbering::GROUP : Error::Numbering::WHOLE);
}

// Below, a third meeting on the host costs more than the hosts' connections gain.
constexpr std::size_t SLICED_FROM_BYTES = 64 << 10;

bool has_hierarchical_form(Operation operation) {
  return operation == Operation::ALL_REDUCE || operation == Operation::REDUCE ||
         operation == Operation::BROADCAST || operation == Operation::BARRIER;
}

/// HIERARCHICAL before what a flat backend has.
std::vector<Algorithm> algorithms_by_hosts(Operation operation) {
  std::vector<Algorithm> all{Algorithm::HIERARCHICAL};
  for (Algorithm flat : algorithms_of(operation)) all.push_back(flat);
  return all;
}

}  // namespace

int HostMap::hosts() const { return 1 + *std::ranges::max_element(host_of); }

std::vector<int> HostMap::ranks_on(int host) const {
  std::vector<int> ranks;
  for (std::size_t rank = 0; rank < host_of.size(); ++rank) {
    if (host_of[rank] == host) ranks.push_back(static_cast<int>(rank));
  }
  return ranks;
}

int HostMap::place_of(int rank) const {
  const auto end = host_of.begin() + rank;
  return static_cast<int>(std::count(host_of.begin(), end, *end));
}

std::vector<int> HostMap::ranks_at(int place) const {
  std::vector<int> ranks;
  for (int host = 0; host < hosts(); ++host) ranks.push_back(ranks_on(host)[static_cast<std::size_t>(place)]);
  return ranks;
}

bool HostMap::is_even() const {
  const std::size_t first = ranks_on(0).size();
  for (int host = 1; host < hosts(); ++host) {
    if (ranks_on(host).size() != first) return false;
  }
  return true;
}

HostBackend::HostBackend(std::unique_ptr<Backend> flat, std::unique_ptr<Backend> host,
                         std::unique_ptr<Backend> across, HostMap map, const HostOptions& options)
    : flat_(std::move(flat)),
      host_(std::move(host)),
      across_(std::move(across)),
      map_(std::move(map)),
      place_(map_.place_of(flat_->rank())),
      host_peers_(map_.ranks_on(map_.host_of[static_cast<std::size_t>(flat_->rank())])),
      across_ranks_(across_ == nullptr ? std::vector<int>{} : map_.ranks_at(place_)),
      options_(options) {
  if (map_.hosts() == 1) return;
  count_in_whole(host_.get(), host_peers_);
  count_in_whole(across_.get(), across_ranks_);
}

void HostBackend::count_in_whole(Backend* level, const std::vector<int>& ranks) {
  Traffic* const part = level == nullptr ? nullptr : level->traffic();
  Traffic* const whole = flat_->traffic();
  if (part != nullptr && whole != nullptr) part->count_in(*whole, ranks);
}

bool HostBackend::goes_by_hosts(const Request& request) const {
  if (!has_hierarchical_form(request.operation)) return false;
  if (const auto chosen = chosen_.get(request.operation)) return *chosen == Algorithm::HIERARCHICAL;
  return select(request.operation, tuned_bytes(request, size()), {size(), map_.hosts()}, tuning_,
                algorithms_by_hosts(request.operation)) == Algorithm::HIERARCHICAL;
}

void HostBackend::use_algorithm(Operation operation, std::optional<Algorithm> algorithm) {
  if (map_.hosts() == 1) return host_->use_algorithm(operation, algorithm);
  const bool is_hierarchical = algorithm == Algorithm::HIERARCHICAL;
  if (!is_hierarchical) flat_->use_algorithm(operation, algorithm);
  if (is_hierarchical && !has_hierarchical_form(operation)) {
    throw Error(ErrorCode::INVALID_ARGUMENT, name_of(operation) + " has no hierarchical form.");
  }
  chosen_.force(operation, algorithm);
}

void HostBackend::use_tuning(const Tuning& tuning, int) {
  tuning_ = tuning;
  flat_->use_tuning(tuning, map_.hosts());
  host_->use_tuning(tuning, 1);
  if (across_ != nullptr) across_->use_tuning(tuning, map_.hosts());
}

std::unique_ptr<Wire> HostBackend::take_wire() { return (map_.hosts() == 1 ? host_ : flat_)->take_wire(); }

int HostBackend::execute(const Request& request, const Deadline& deadline) {
  if (map_.hosts() == 1) {
    const int value = host_->execute(request, deadline);  // the same ranks, by the same numbers
    last_algorithm_ = host_->last_algorithm();
    return value;
  }
  const bool is_message = request.operation == Operation::SEND || request.operation == Operation::RECEIVE;
  if (!is_message) check_agreement_on_host(request, deadline);
  if (goes_by_hosts(request)) {
    if (WidenedAverage::applies(request)) {
      widened_.run(request, size(), [&](const Request& wide) { by_hosts(wide, deadline); });
    } else {
      by_hosts(request, deadline);
    }
    last_algorithm_ = Algorithm::HIERARCHICAL;
    return 0;
  }
  if (!is_message) {
    // Other leaders may be in an operation between hosts; then they disagree with this one, and hear of it
    // here.
    Request barrier;
    between_hosts(barrier, deadline);
  }
  const int value = flat_->execute(request, deadline);
  last_algorithm_ = flat_->last_algorithm();
  return value;
}

// Ranks of one host first compare signatures, because each level sees only part of a disagreement.
void HostBackend::check_agreement_on_host(const Request& request, const Deadline& deadline) {
  SharedMemory* const memory = host_->shared_memory();
  if (memory == nullptr) return;
  Signature signature = signature_of(request, ++sequence_);
  with_ranks_renumbered(host_peers_, [&] {
    memory->check_failure();
    memory->announce(signature, {});
    for (int place = 0; place < memory->size(); ++place) {
      if (place != memory->rank()) memory->await_announcement(place, {signature, deadline});
    }
  });
}

template <typename Part>
void HostBackend::with_ranks_renumbered(const std::vector<int>& ranks, const Part& part) const {
  try {
    part();
  } catch (const Error& error) {
    throw renumbered(error, ranks);
  }
}

void HostBackend::on_host(const Request& request, const Deadline& deadline) {
  with_ranks_renumbered(host_peers_, [&] { host_->execute(request, deadline); });
}

void HostBackend::between_hosts(const Request& request, const Deadline& deadline) {
  if (!is_leader()) return;
  with_ranks_renumbered(across_ranks_, [&] { across_->execute(request, deadline); });
}

void HostBackend::by_hosts(const Request& request, const Deadline& deadline) {
  switch (request.operation) {
    case Operation::ALL_REDUCE:
      return all_reduce(request, deadline);
    case Operation::REDUCE:
      return reduce(request, deadline);
    case Operation::BROADCAST:
      return broadcast(request, deadline);
    default:
      return barrier(deadline);
  }
}

void HostBackend::all_reduce(const Request& request, const Deadline& deadline) {
  if (map_.is_even() && request.count * size_of(request.type) >= SLICED_FROM_BYTES)
    return all_reduce_by_slices(request, deadline);
  Request part = as_sum(request);
  part.operation = Operation::REDUCE;
  if (!is_leader()) part.output = nullptr;
  on_host(part, deadline);
  if (is_leader()) {
    part = as_sum(request);
    part.input = request.output;
    between_hosts(part, deadline);
    if (request.op == ReduceOp::AVERAGE) {
      finish_average(request.output, request.count, request.type, size());
    }
  }
  part = request;
  part.operation = Operation::BROADCAST;
  part.input = is_leader() ? request.output : nullptr;
  on_host(part, deadline);
}

// The wire would be idle while the ranks of a host combine a vector, and the host idle while its sum is on
// the wire: so a long vector goes piece by piece, and the next piece is combined before the last one is
// awaited.
void HostBackend::all_reduce_by_slices(const Request& request, const Deadline& deadline) {
  Request whole = as_sum(request);
  // The largest slice, on all ranks: those of one host must come to the same decisions.
  whole.count = Blocks::dividing(request.count, host_->size()).largest_count();
  const std::size_t piece_bytes =
      Ring::full_bytes(tuning_.segment_bytes, map_.hosts()) * static_cast<std::size_t>(host_->size());
  const std::size_t number =
      across_->overlaps_pieces(whole)
          ? std::max<std::size_t>(request.count * size_of(request.type) / piece_bytes, 1)
          : 1;
  const Blocks pieces = Blocks::dividing(request.count, static_cast<int>(number));
  const std::size_t room =
      Blocks::dividing(pieces.largest_count(), host_->size()).largest_count() * size_of(request.type);
  std::byte* const slices = scratch_.reserve(2 * room);
  const auto on_host_meanwhile = [&](const Request& part) {
    try {
      on_host(part, deadline);
    } catch (const Error& error) {
      throw of_whole_group(error);  // not one of the ranks at this place, as whose errors it would be taken
    }
  };
  const auto make = [&](int piece) {
    Request part = slice_of(request, pieces, piece);
    part.operation = Operation::REDUCE_SCATTER;
    part.output = slices + (piece % 2) * room;
    on_host_meanwhile(part);
    part.operation = Operation::ALL_REDUCE;
    part.counts = {};
    part.input = part.output;
    return part;
  };
  const auto take = [&](int piece) {
    std::byte* const slice = slices + (piece % 2) * room;
    Request part = slice_of(request, pieces, piece);
    if (request.op == ReduceOp::AVERAGE) finish_average(slice, part.count, request.type, size());
    part.operation = Operation::ALL_GATHER;
    part.op = ReduceOp::SUM;
    part.input = slice;
    on_host_meanwhile(part);
  };
  with_ranks_renumbered(across_ranks_, [&] {
    across_->all_reduce_pieces(whole, {static_cast<int>(number), make, take}, deadline);
  });
}

/// Input, output and this rank's count of one piece of a vector; all ranks' counts are in slice_counts_.
Request HostBackend::slice_of(const Request& request, const Blocks& pieces, int piece) {
  const Blocks slices = Blocks::dividing(pieces.count(piece), host_->size());
  slice_counts_.clear();
  for (int place = 0; place < host_->size(); ++place)
    slice_counts_.push_back(static_cast<std::int64_t>(slices.count(place)));
  const std::size_t offset = pieces.offset(piece) * size_of(request.type);
  Request part = as_sum(request);
  part.input = request.input + offset;
  part.output = request.output + offset;
  part.count = slices.count(place_);
  part.counts = slice_counts_;
  return part;
}

void HostBackend::reduce(const Request& request, const Deadline& deadline) {
  const int root = request.root_or_peer;
  const int roots_host = map_.host_of[static_cast<std::size_t>(root)];
  const bool is_roots_host = map_.host_of[static_cast<std::size_t>(rank())] == roots_host;
  const int roots_place = map_.place_of(root);
  Request part = as_sum(request);
  part.root_or_peer = 0;
  part.output = nullptr;
  if (is_leader()) {
    part.output = rank() == root ? request.output : scratch_.reserve(request.count * size_of(request.type));
  }
  on_host(part, deadline);
  if (is_leader()) {
    std::byte* const sum = part.output;
    part.root_or_peer = roots_host;
    part.input = sum;
    part.output = is_roots_host ? sum : nullptr;
    between_hosts(part, deadline);
    if (is_roots_host && request.op == ReduceOp::AVERAGE) {
      finish_average(sum, request.count, request.type, size());
    }
    part.output = sum;
  }
  if (!is_roots_host || roots_place == 0) return;
  if (is_leader()) {
    on_host({Operation::SEND,
             request.type,
             ReduceOp::SUM,
             roots_place,
             0,
             part.output,
             nullptr,
             request.count,
             {}},
            deadline);
  } else if (rank() == root) {
    on_host(
        {Operation::RECEIVE, request.type, ReduceOp::SUM, 0, 0, nullptr, request.output, request.count, {}},
        deadline);
  }
}

void HostBackend::broadcast(const Request& request, const Deadline& deadline) {
  const int root = request.root_or_peer;
  const int roots_host = map_.host_of[static_cast<std::size_t>(root)];
  const bool is_roots_host = map_.host_of[static_cast<std::size_t>(rank())] == roots_host;
  Request part = request;
  if (is_roots_host) {
    part.root_or_peer = map_.place_of(root);
    on_host(part, deadline);
  }
  if (is_leader()) {
    part.root_or_peer = roots_host;
    part.input = is_roots_host ? request.output : nullptr;
    between_hosts(part, deadline);
  }
  if (is_roots_host) return;
  part.root_or_peer = 0;
  part.input = is_leader() ? request.output : nullptr;
  on_host(part, deadline);
}

void HostBackend::barrier(const Deadline& deadline) {
  const Request barrier;
  on_host(barrier, deadline);
  between_hosts(barrier, deadline);
  on_host(barrier, deadline);
}

std::unique_ptr<Backend> HostBackend::split(int color, int key, const Deadline& deadline) {
  if (map_.hosts() == 1) return host_->split(color, key, deadline);
  // Known beforehand, because the child's errors name its own ranks.
  const std::vector<SplitKey> choices = gather_values(*flat_, SplitKey{color, key}, deadline);
  std::unique_ptr<Backend> child = flat_->split(color, key, deadline);
  if (child == nullptr) return nullptr;
  with_ranks_renumbered(members_of(choices, color),
                        [&] { child = share_hosts(std::move(child), true, options_, deadline); });
  return child;
}

void HostBackend::abort(const Error& reason) noexcept {
  try {
    const Error with_rank = map_.hosts() == 1 ? reason : of_whole_group(reason);
    host_->abort(with_rank);
    if (across_ != nullptr) across_->abort(with_rank);
  } catch (const std::exception&) {
    // No memory for the text: the peers see this rank leave.
  }
  flat_->abort(reason);
}

void HostBackend::close() noexcept {
  host_->close();
  if (across_ != nullptr) across_->close();
  flat_->close();
}

}  // namespace lockstep

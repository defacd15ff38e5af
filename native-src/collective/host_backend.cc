#include "collective/host_backend.h"

#include <algorithm>
#include <cstring>

#include "channel/wire.h"
#include "collective/choice.h"
#include "collective/gather_values.h"
#include "collective/signature_of.h"
#include "core/data_type.h"
#include "core/reduce.h"

namespace lockstep {
namespace {

/// Averages are sums until they are complete.
Request as_sum(Request request) {
  if (request.op == ReduceOp::AVERAGE) request.op = ReduceOp::SUM;
  return request;
}

// How a rank of the whole group travels through the levels, where ranks have other numbers: in front of an
// error's text.
constexpr char MARK[] = "[rank ";

Error marked(const Error& error) {
  if (error.rank() == Error::NO_RANK) return error;
  return Error(error.code(), MARK + std::to_string(error.rank()) + "] " + error.what());
}

/// An error of a level whose ranks are `ranks` of the whole group.
Error at_level(const Error& error, const std::vector<int>& ranks) {
  const std::string text = error.what();
  const std::size_t mark = text.find(MARK);
  if (mark != std::string::npos) {
    const std::size_t end = text.find("] ", mark);
    const std::size_t digits = mark + sizeof(MARK) - 1;
    return Error(error.code(), text.substr(0, mark) + text.substr(end + 2),
                 std::stoi(text.substr(digits, end - digits)));
  }
  return renumbered(error, ranks);
}

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

std::vector<int> HostMap::leaders() const {
  std::vector<int> leaders;
  for (int host = 0; host < hosts(); ++host) leaders.push_back(ranks_on(host).front());
  return leaders;
}

HostBackend::HostBackend(std::unique_ptr<Backend> flat, std::unique_ptr<Backend> host,
                         std::unique_ptr<Backend> leaders, HostMap map, const HostOptions& options)
    : flat_(std::move(flat)),
      host_(std::move(host)),
      leaders_(std::move(leaders)),
      map_(std::move(map)),
      place_(map_.place_of(flat_->rank())),
      mates_(map_.ranks_on(map_.host_of[static_cast<std::size_t>(flat_->rank())])),
      leader_ranks_(map_.leaders()),
      options_(options) {
  if (map_.hosts() == 1) return;
  count_in_whole(host_.get(), mates_);
  count_in_whole(leaders_.get(), leader_ranks_);
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
  if (leaders_ != nullptr) leaders_->use_tuning(tuning, map_.hosts());
}

std::unique_ptr<Wire> HostBackend::take_wire() { return (map_.hosts() == 1 ? host_ : flat_)->take_wire(); }

int HostBackend::execute(const Request& request, const Deadline& deadline) {
  if (map_.hosts() == 1) {
    const int value = host_->execute(request, deadline);  // the same ranks, by the same numbers
    last_algorithm_ = host_->last_algorithm();
    return value;
  }
  const bool is_message = request.operation == Operation::SEND || request.operation == Operation::RECEIVE;
  if (!is_message) introduce(request, deadline);
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

// The levels would see only their own part of what ranks disagree about.
void HostBackend::introduce(const Request& request, const Deadline& deadline) {
  SharedMemory* const memory = host_->shared_memory();
  if (memory == nullptr) return;
  Signature signature = signature_of(request, ++sequence_);
  among(mates_, [&] {
    memory->check_failure();
    memory->announce(signature, {});
    for (int place = 0; place < memory->size(); ++place) {
      if (place != memory->rank()) memory->await_announcement(place, {signature, deadline});
    }
  });
}

template <typename Part>
void HostBackend::among(const std::vector<int>& ranks, const Part& part) const {
  try {
    part();
  } catch (const Error& error) {
    throw at_level(error, ranks);
  }
}

void HostBackend::on_host(const Request& request, const Deadline& deadline) {
  among(mates_, [&] { host_->execute(request, deadline); });
}

void HostBackend::between_hosts(const Request& request, const Deadline& deadline) {
  if (leaders_ != nullptr) among(leader_ranks_, [&] { leaders_->execute(request, deadline); });
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
  const std::vector<Choice> choices = gather_values(*flat_, Choice{color, key}, deadline);
  std::unique_ptr<Backend> child = flat_->split(color, key, deadline);
  if (child == nullptr) return nullptr;
  among(members_of(choices, color), [&] { child = share_hosts(std::move(child), true, options_, deadline); });
  return child;
}

void HostBackend::abort(const Error& reason) noexcept {
  try {
    const Error with_rank = map_.hosts() == 1 ? reason : marked(reason);
    host_->abort(with_rank);
    if (leaders_ != nullptr) leaders_->abort(with_rank);
  } catch (const std::exception&) {
    // No memory for the text: the peers see this rank leave.
  }
  flat_->abort(reason);
}

void HostBackend::close() noexcept {
  host_->close();
  if (leaders_ != nullptr) leaders_->close();
  flat_->close();
}

}  // namespace lockstep

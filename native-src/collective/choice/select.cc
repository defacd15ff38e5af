#include "collective/choice/select.h"

#include <algorithm>
#include <string>

#include "collective/choice/algorithm.h"
#include "core/data_type.h"
#include "lockstep/error.h"

namespace lockstep {
namespace {

// Each list begins with DIRECT, which groups without shared memory leave out.
constexpr std::array ALL_REDUCES{
    Algorithm::DIRECT,           Algorithm::RING,          Algorithm::RECURSIVE_DOUBLING,
    Algorithm::HALVING_DOUBLING, Algorithm::BINOMIAL_TREE, Algorithm::DOUBLE_BINARY_TREE};
constexpr std::array RING{Algorithm::DIRECT, Algorithm::RING};
constexpr std::array BINOMIAL_TREE{Algorithm::DIRECT, Algorithm::BINOMIAL_TREE};
constexpr std::array LINEAR{Algorithm::DIRECT, Algorithm::LINEAR};
constexpr std::array PAIRWISE{Algorithm::DIRECT, Algorithm::PAIRWISE};
constexpr std::array DISSEMINATION{Algorithm::DIRECT, Algorithm::DISSEMINATION};

std::string names_of(std::span<const Algorithm> algorithms) {
  std::string text;
  for (Algorithm algorithm : algorithms) text += (text.empty() ? "" : ", ") + name_of(algorithm);
  return text.empty() ? "none" : text;
}

}  // namespace

std::span<const Algorithm> algorithms_with_shared_memory(Operation operation) {
  switch (operation) {
    case Operation::ALL_REDUCE:
      return ALL_REDUCES;
    case Operation::ALL_GATHER:
    case Operation::REDUCE_SCATTER:
      return RING;
    case Operation::BROADCAST:
    case Operation::REDUCE:
      return BINOMIAL_TREE;
    case Operation::SCATTER:
    case Operation::GATHER:
      return LINEAR;
    case Operation::ALL_TO_ALL:
      return PAIRWISE;
    case Operation::BARRIER:
      return DISSEMINATION;
    case Operation::SEND:
    case Operation::RECEIVE:
    case Operation::SPLIT:
    case Operation::REDUCE_STEP:
      break;
  }
  return {};
}

std::span<const Algorithm> algorithms_of(Operation operation) {
  const std::span<const Algorithm> all = algorithms_with_shared_memory(operation);
  return all.empty() ? all : all.subspan(1);
}

std::size_t tuned_bytes(const Request& request, int ranks) {
  const std::size_t element = size_of(request.type);
  std::size_t count = 0;
  switch (request.operation) {
    case Operation::BROADCAST:
    case Operation::REDUCE:
    case Operation::ALL_REDUCE:
      return request.count * element;
    case Operation::ALL_GATHER:
    case Operation::REDUCE_SCATTER:
    case Operation::ALL_TO_ALL:
      for (std::int64_t each : request.counts) count += static_cast<std::size_t>(each);
      return (request.counts.empty() ? request.count * static_cast<std::size_t>(ranks) : count) * element;
    default:
      return 0;  // No data, or of a length that only the root knows.
  }
}

Algorithm select(Operation operation, std::size_t bytes, const Topology& topology, const Tuning& tuning,
                 std::span<const Algorithm> available) {
  for (const TuningRow& row : tuning.rows) {
    if (row.operation == operation && (bytes < row.below_bytes || row.below_bytes == TuningRow::UNLIMITED) &&
        row.ranks.contains(topology.ranks) && row.hosts.contains(topology.hosts) &&
        std::ranges::find(available, row.algorithm) != available.end()) {
      return row.algorithm;
    }
  }
  return available.front();
}

void ChosenAlgorithms::set(Operation operation, std::optional<Algorithm> algorithm,
                           std::span<const Algorithm> available) {
  if (algorithm && std::ranges::find(available, *algorithm) == available.end()) {
    throw Error(ErrorCode::INVALID_ARGUMENT, "This group has no " + name_of(*algorithm) + " for " +
                                                 name_of(operation) + "; it has " + names_of(available) +
                                                 ".");
  }
  force(operation, algorithm);
}

}  // namespace lockstep

#include "splitting/sparse/sparse_problem.h"

#include <string>

#include "lockstep/error.h"
#include "splitting/prox/psd_projection.h"

namespace lockstep::splitting {
namespace {

const Network& narrow(const Network& network) {
  const int most = PSD_MAX_WIDTH - 1 - network.dimension;
  for (std::int32_t sensor = 0; sensor < network.sensors; ++sensor) {
    const auto count = static_cast<int>(network.neighbors_of(sensor).size());
    if (count <= most) continue;
    throw Error(ErrorCode::INVALID_ARGUMENT,
                "Sensor " + std::to_string(sensor) + " has " + std::to_string(count) +
                    " neighbours; the sparse form takes at most " + std::to_string(most) +
                    ": leave some out of its list of neighbours, or let them be chosen.");
  }
  return network;
}

}  // namespace

SparseProblem::SparseProblem(const Network& network, const Options& options, int rank, int ranks)
    : partition(splitting::partition(narrow(network), ranks)),
      holders(network, partition),
      blocks(holders, network.dimension, partition.begins[static_cast<std::size_t>(rank)],
             partition.begins[static_cast<std::size_t>(rank) + 1]),
      mixing(make_mixing(blocks, partition, rank, options.design)) {
  terms.reserve(static_cast<std::size_t>(blocks.sensors()));
  for (std::int32_t place = blocks.begin(); place < blocks.end(); ++place) {
    terms.emplace_back(network, partition.sensor_at[static_cast<std::size_t>(place)]);
  }
}

}  // namespace lockstep::splitting

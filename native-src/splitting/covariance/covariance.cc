#include <cstdint>
#include <vector>

#include "splitting/covariance/curvature.h"
#include "splitting/factorisation/selected_inverse.h"
#include "splitting/network/sensor_slices.h"
#include "splitting/refinement/refinement.h"

namespace lockstep::splitting {

void first_order_covariances(Communicator& group, const Network& network, const RefinementOptions& options,
                             std::span<const double> positions, std::span<double> out) {
  if (group.rank() == 0) {
    RangeGraph graph(network, options.noise_factor);
    const std::vector<double> points = graph.points_at(positions);
    graph.weigh_by(points);
    SelectedInverse(graph, Loss{options.huber}, points).diagonal_blocks(out);
  }
  if (group.size() == 1) return;
  const auto address = reinterpret_cast<std::int64_t>(out.data());
  group.run({.operation = static_cast<std::int32_t>(Operation::BROADCAST),
             .type = static_cast<std::int32_t>(DataType::F64),
             .op = 0,
             .root_or_peer = 0,
             .tag = 0,
             .input = address,
             .output = address,
             .count = static_cast<std::int64_t>(out.size()),
             .counts = 0});
}

void covariances(Communicator& group, const Network& network, const RefinementOptions& options,
                 std::span<const double> positions, std::span<double> out) {
  first_order_covariances(group, network, options, positions, out);
  RangeGraph graph(network, options.noise_factor);
  const std::vector<double> points = graph.points_at(positions);
  graph.weigh_by(points);
  add_curvature(group, graph, SensorSlices(group, network.sensors), Loss{options.huber}, points, out);
}

}  // namespace lockstep::splitting

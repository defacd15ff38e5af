#include "splitting/refinement.h"

#include <algorithm>
#include <vector>

#include "splitting/flips.h"
#include "splitting/levenberg_marquardt.h"

namespace lockstep::splitting {
namespace {

// Enough for sensors on the wrong side of their neighbours to be told from those that are on their way.
constexpr double ROUGH = 1e-4;
constexpr int MOST_ROUNDS = 20;

template <int D>
Refinement refine_in(Communicator& group, const Network& network, const RefinementOptions& options,
                     std::span<double> positions) {
  const RangeGraph graph(network, options.noise_factor);
  const SensorSlices slices(group, network.sensors);
  const Loss loss{options.huber};
  std::vector<double> points = graph.points_at(positions);
  Refinement total;
  std::vector<char> candidates(static_cast<std::size_t>(network.sensors), 1);
  double tolerance = std::max(ROUGH, options.tolerance);
  for (int round = 0; round < MOST_ROUNDS; ++round) {
    const bool is_last = round + 1 == MOST_ROUNDS;
    if (is_last) tolerance = options.tolerance;
    const int left = options.max_iterations - total.iterations;
    const Refinement part =
        descend<D>(graph, slices, loss, {.max_steps = left, .tolerance = tolerance}, points);
    total = {part.cost, total.iterations + part.iterations, part.converged && tolerance == options.tolerance};
    if (is_last || total.iterations == options.max_iterations) break;
    if (flip<D>(graph, slices, loss, points, candidates) > 0) continue;
    if (tolerance == options.tolerance) break;
    tolerance = options.tolerance;
    std::fill(candidates.begin(), candidates.end(), 1);  // The last descent goes far in weak directions.
  }
  std::copy_n(points.begin(), positions.size(), positions.begin());
  return total;
}

}  // namespace

Refinement refine(Communicator& group, const Network& network, const RefinementOptions& options,
                  std::span<double> positions) {
  return network.dimension == 2 ? refine_in<2>(group, network, options, positions)
                                : refine_in<3>(group, network, options, positions);
}

}  // namespace lockstep::splitting

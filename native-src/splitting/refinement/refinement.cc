#include "splitting/refinement/refinement.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "splitting/mirrors/flips.h"
#include "splitting/portfolio/search.h"
#include "splitting/refinement/levenberg_marquardt.h"

namespace lockstep::splitting {
namespace {

// Enough for sensors on the wrong side of their neighbours to be told from those that are on their way.
constexpr double ROUGH = 1e-4;
constexpr int MOST_ROUNDS = 20;
constexpr int MOST_REWEIGHTINGS = 12;
constexpr double STILL = 1e-5;  // Of the mean range: weights that no longer change.

/// Descends, and moves single sensors across their neighbours as long as that helps.
template <int D>
Refinement settle(const RangeGraph& graph, const SensorSlices& slices, const RefinementOptions& options,
                  std::span<double> points) {
  const Loss loss{options.huber};
  Refinement total;
  std::vector<char> candidates(static_cast<std::size_t>(graph.sensors()), 1);
  double tolerance = std::max(ROUGH, options.tolerance);
  for (int round = 0; round < MOST_ROUNDS; ++round) {
    const bool is_last = round + 1 == MOST_ROUNDS;
    if (is_last) tolerance = options.tolerance;
    const int left = options.max_iterations - total.iterations;
    const Refinement part =
        descend<D>(graph, slices, loss, {.max_steps = left, .tolerance = tolerance}, points);
    total = {
        part.cost, total.iterations + part.iterations, part.converged && tolerance == options.tolerance, {}};
    if (is_last || total.iterations == options.max_iterations) break;
    if (flip<D>(graph, slices, loss, points, candidates) > 0) continue;
    if (tolerance == options.tolerance) break;
    tolerance = options.tolerance;
    std::fill(candidates.begin(), candidates.end(), 1);  // The last descent goes far in weak directions.
  }
  return total;
}

/// Iteratively reweighted: each descent's distances are the next one's standard deviations.
template <int D>
void descend_reweighted(RangeGraph& graph, const SensorSlices& slices, const RefinementOptions& options,
                        std::span<double> points, Refinement& total) {
  for (int round = 0; round < MOST_REWEIGHTINGS; ++round) {
    const std::vector<double> before(points.begin(), points.end());
    graph.weigh_by(points);
    const Refinement part = descend<D>(
        graph, slices, Loss{options.huber},
        {.max_steps = std::max(1, options.max_iterations - total.iterations), .tolerance = options.tolerance},
        points);
    total = {part.cost, total.iterations + part.iterations, part.converged, {}};
    double moved = 0;
    for (std::size_t k = 0; k < before.size(); ++k) moved = std::max(moved, std::abs(points[k] - before[k]));
    if (moved <= STILL * graph.mean_range() || total.iterations >= options.max_iterations) break;
  }
}

template <int D>
Refinement refine_in(Communicator& group, const Network& network, const RefinementOptions& options,
                     std::span<double> positions) {
  RangeGraph graph(network, options.noise_factor);
  const SensorSlices slices(group, network.sensors);
  std::vector<double> points = graph.points_at(positions);
  Refinement total = settle<D>(graph, slices, options, points);
  std::vector<Fold> others;
  if (options.searches) {
    const Fold start{
        total.cost, 0, {points.begin(), points.begin() + static_cast<std::ptrdiff_t>(positions.size())}};
    std::vector<Fold> folds = search(group, graph, slices, Loss{options.huber}, start);
    std::copy(folds.front().positions.begin(), folds.front().positions.end(), points.begin());
    for (std::size_t k = 1; k < folds.size(); ++k) {
      folds[k].cost -= folds.front().cost;
      others.push_back(std::move(folds[k]));
    }
  }
  descend_reweighted<D>(graph, slices, options, points, total);
  std::copy_n(points.begin(), positions.size(), positions.begin());
  total.others = std::move(others);
  return total;
}

}  // namespace

Refinement refine(Communicator& group, const Network& network, const RefinementOptions& options,
                  std::span<double> positions) {
  return network.dimension == 2 ? refine_in<2>(group, network, options, positions)
                                : refine_in<3>(group, network, options, positions);
}

}  // namespace lockstep::splitting

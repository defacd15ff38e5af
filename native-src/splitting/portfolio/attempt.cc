#include "splitting/portfolio/attempt.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "collective/backend/single_backend.h"
#include "splitting/covariance/gaussian.h"
#include "splitting/mirrors/flips.h"
#include "splitting/network/sensor_slices.h"
#include "splitting/portfolio/lifted_fit.h"
#include "splitting/portfolio/shortest_paths.h"
#include "splitting/refinement/levenberg_marquardt.h"

namespace lockstep::splitting {
namespace {

// Of the squares of the extra coordinates, times the weight of the median range; from nothing to flat.
constexpr double PENALTIES[] = {0, 1e-4, 1e-3, 1e-2, 0.05, 0.2, 1, 5};
constexpr int MOST_STEPS = 60;    // At each penalty.
constexpr double ROUGH = 1e-3;    // Relative decrease at which the next penalty takes over.
constexpr double SETTLED = 1e-7;  // … and the last, flat descent ends.
constexpr int USUAL_STEPS = 60;   // In all, for an estimate of the time.
// Standard deviation of the first extra coordinates, in median ranges. Maps from shortest paths have some
// height themselves; a flat start needs enough to get over the barrier.
constexpr double HEIGHT_OF_MAP = 0.05;
constexpr double HEIGHT_OF_FLAT = 0.5;
constexpr int MOST_ROUNDS_OF_FLIPS = 5;
constexpr double PATIENCE = 30;  // Seconds; a group of one never waits.

double median(std::vector<double> values) {
  if (values.empty()) return 1;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::vector<double> of_all_ends(const RangeGraph& graph, double RangeEnd::*member) {
  std::vector<double> values;
  for (std::int32_t sensor = 0; sensor < graph.sensors(); ++sensor) {
    for (const RangeEnd& end : graph.ends_of(sensor)) values.push_back(end.*member);
  }
  return values;
}

}  // namespace

Attempts::Attempts(const RangeGraph& graph, const Loss& loss, std::span<const double> points)
    : graph_(graph),
      loss_(loss),
      points_(points.begin(), points.end()),
      cholesky_(graph, points),
      median_range_(median(of_all_ends(graph, &RangeEnd::range))),
      median_weight_(median(of_all_ends(graph, &RangeEnd::precision))) {
  median_weight_ *= median_weight_;
}

double Attempts::operations(int extra_dimensions) const {
  return USUAL_STEPS * cholesky_.operations(static_cast<std::size_t>(graph_.dimension() + extra_dimensions));
}

Fold Attempts::run(const Recipe& recipe, std::span<const double> here) {
  return graph_.dimension() == 2 ? run_in<2>(recipe, here) : run_in<3>(recipe, here);
}

template <int D>
Fold Attempts::run_in(const Recipe& recipe, std::span<const double> here) {
  std::vector<double> flat;
  switch (recipe.extra_dimensions) {
    case 0:
      press_flat<D, 0>(recipe, here, flat);
      break;
    case 1:
      press_flat<D, 1>(recipe, here, flat);
      break;
    default:
      press_flat<D, 2>(recipe, here, flat);
  }
  Fold fold;
  fold.cost = settle<D>(flat);
  fold.positions = std::move(flat);
  return fold;
}

/// @param flat sensors × D, written
template <int D, int EXTRA>
void Attempts::press_flat(const Recipe& recipe, std::span<const double> here, std::vector<double>& flat) {
  constexpr int K = D + EXTRA;
  const auto sensors = static_cast<std::size_t>(graph_.sensors());
  const bool is_here = recipe.start == Recipe::Start::HERE;
  std::vector<double> lifted(sensors * K, 0.0);
  if (is_here) {
    for (std::size_t k = 0; k < sensors; ++k) std::copy_n(&here[k * D], D, &lifted[k * K]);
  } else {
    lifted = map_by_shortest_paths(graph_, points_, K);
  }
  if constexpr (EXTRA > 0) {
    Gaussian height(recipe.seed);
    const double deviation = (is_here ? HEIGHT_OF_FLAT : HEIGHT_OF_MAP) * median_range_;
    for (std::size_t k = 0; k < sensors; ++k) {
      for (int axis = D; axis < K; ++axis)
        lifted[k * K + static_cast<std::size_t>(axis)] += deviation * height();
    }
    LiftedFit<K> fit(graph_, loss_, cholesky_, points_);
    for (const double penalty : PENALTIES) {
      fit.descend({.penalty = penalty * median_weight_, .max_steps = MOST_STEPS, .tolerance = ROUGH}, lifted);
    }
  }
  flat.resize(sensors * D);
  for (std::size_t k = 0; k < sensors; ++k) std::copy_n(&lifted[k * K], D, &flat[k * D]);
}

/// Descends in the plane or in space, then moves single sensors across their neighbours as long as that
/// helps.
template <int D>
double Attempts::settle(std::vector<double>& flat) {
  LiftedFit<D> fit(graph_, loss_, cholesky_, points_);
  const Pressing to_the_end{.penalty = 0, .max_steps = 200, .tolerance = SETTLED};
  double cost = fit.descend(to_the_end, flat);
  Communicator alone(std::make_unique<SingleBackend>(), PATIENCE);
  const SensorSlices slices(alone, graph_.sensors());
  std::vector<char> candidates(static_cast<std::size_t>(graph_.sensors()), 1);
  std::vector<double> points = points_;
  for (int round = 0; round < MOST_ROUNDS_OF_FLIPS; ++round) {
    std::copy(flat.begin(), flat.end(), points.begin());
    if (flip<D>(graph_, slices, loss_, points, candidates) == 0) break;
    std::copy_n(points.begin(), flat.size(), flat.begin());
    cost = fit.descend(to_the_end, flat);
  }
  return cost;
}

}  // namespace lockstep::splitting

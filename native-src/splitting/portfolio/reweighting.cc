#include "splitting/portfolio/reweighting.h"

#include <algorithm>
#include <cmath>

#include "splitting/factorisation/block_cholesky.h"
#include "splitting/portfolio/lifted_fit.h"

namespace lockstep::splitting {
namespace {

constexpr int MOST_ROUNDS = 8;
constexpr double STILL = 1e-3;  // Of the mean range: weights that no longer change.
constexpr Pressing TO_THE_END{.penalty = 0, .max_steps = 30, .tolerance = 1e-5};

template <int D>
double distance_of(const RangeEnd& end, std::int32_t from, std::span<const double> points) {
  return distance_between<D>(&points[static_cast<std::size_t>(from) * D],
                             &points[static_cast<std::size_t>(end.point) * D]);
}

/// Calls visit(range end, distance) for each range once.
template <typename Visit>
void for_each_range(const RangeGraph& graph, std::span<const double> points, const Visit& visit) {
  for (std::int32_t sensor = 0; sensor < graph.sensors(); ++sensor) {
    for (const RangeEnd& end : graph.ends_of(sensor)) {
      if (end.point < sensor) continue;
      visit(end, graph.dimension() == 2 ? distance_of<2>(end, sensor, points)
                                        : distance_of<3>(end, sensor, points));
    }
  }
}

template <int D>
Fold reweighted_in(const RangeGraph& graph, const Loss& loss, std::vector<double> positions) {
  RangeGraph weighed = graph;
  BlockCholesky cholesky(weighed, weighed.points_at(positions));
  for (int round = 0; round < MOST_ROUNDS; ++round) {
    const std::vector<double> points = weighed.points_at(positions);
    weighed.weigh_by(points);
    LiftedFit<D>(weighed, loss, cholesky, points).descend(TO_THE_END, positions);
    double moved = 0;
    for (std::size_t k = 0; k < positions.size(); ++k)
      moved = std::max(moved, std::abs(positions[k] - points[k]));
    if (moved <= STILL * graph.mean_range()) break;
  }
  Fold fold{0, 0, std::move(positions)};
  const std::vector<double> points = weighed.points_at(fold.positions);
  for_each_range(weighed, points, [&](const RangeEnd& end, double distance) {
    fold.cost += loss.cost((end.range - distance) * end.precision) - std::log(end.precision);
  });
  return fold;
}

}  // namespace

Fold reweighted(const RangeGraph& graph, const Loss& loss, const std::vector<double>& positions) {
  return graph.dimension() == 2 ? reweighted_in<2>(graph, loss, positions)
                                : reweighted_in<3>(graph, loss, positions);
}

double ChiSquare::excess() const { return (value - freedom) / std::sqrt(2 * std::max(freedom, 1.0)); }

ChiSquare chi_square(const RangeGraph& graph, const Loss& loss, std::span<const double> points) {
  RangeGraph weighed = graph;
  weighed.weigh_by(points);
  ChiSquare result{0, -static_cast<double>(graph.dimension()) * graph.sensors()};
  for_each_range(weighed, points, [&](const RangeEnd& end, double distance) {
    result.value += 2 * loss.cost((end.range - distance) * end.precision);
    result.freedom += 1;
  });
  return result;
}

bool is_consistent(const RangeGraph& graph, const Loss& loss, std::span<const double> points) {
  constexpr double CONSISTENT = 3;  // Standard deviations of χ².
  return chi_square(graph, loss, points).excess() < CONSISTENT;
}

}  // namespace lockstep::splitting

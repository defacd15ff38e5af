#include "splitting/refinement/patch.h"

#include <algorithm>
#include <array>

#include "splitting/factorisation/dense_cholesky.h"
#include "splitting/factorisation/small_block.h"

namespace lockstep::splitting {
namespace {

constexpr int MOST_STEPS = 50;
// A thousandth in the logarithm of the likelihood tells no two fits apart.
constexpr double ENOUGH = 1e-3;
constexpr double FIRST_DAMPING = 1e-4;
constexpr double MOST_DAMPING = 1e3;

}  // namespace

template <int D>
Patch<D>::Patch(const RangeGraph& graph, const Loss& loss)
    : graph_(graph), loss_(loss), local_(static_cast<std::size_t>(graph.sensors()), -1) {}

template <int D>
std::vector<std::int32_t> Patch<D>::around(std::span<const std::int32_t> group, std::size_t most) {
  std::vector<std::int32_t> sensors(group.begin(), group.end());
  for (const std::int32_t sensor : group) local_[static_cast<std::size_t>(sensor)] = 0;
  for (std::size_t k = 0; k < sensors.size(); ++k) {
    for (const RangeEnd& end : graph_.ends_of(sensors[k])) {
      if (!graph_.is_sensor(end.point) || sensors.size() >= most) break;
      std::int32_t& local = local_[static_cast<std::size_t>(end.point)];
      if (local >= 0) continue;
      local = 0;
      sensors.push_back(end.point);
    }
  }
  for (const std::int32_t one : sensors) local_[static_cast<std::size_t>(one)] = -1;
  return sensors;
}

template <int D>
std::vector<double> Patch<D>::positions_of(std::span<const std::int32_t> sensors,
                                           std::span<const double> points) {
  std::vector<double> positions;
  for (const std::int32_t sensor : sensors) {
    const auto at = points.begin() + static_cast<std::ptrdiff_t>(sensor) * D;
    positions.insert(positions.end(), at, at + D);
  }
  return positions;
}

template <int D>
typename Patch<D>::Fit Patch<D>::fit(std::span<const std::int32_t> sensors, std::vector<double> start,
                                     std::span<const double> points) {
  sensors_ = sensors;
  points_ = points;
  for (std::size_t k = 0; k < sensors.size(); ++k) {
    local_[static_cast<std::size_t>(sensors[k])] = static_cast<std::int32_t>(k);
  }
  Fit best{cost(start), std::move(start)};
  const std::size_t length = best.positions.size();
  std::vector<double> step(length), trial(length);
  double lambda = FIRST_DAMPING;
  bool is_linearised = false;
  for (int steps = 0; steps < MOST_STEPS && lambda < MOST_DAMPING; ++steps) {
    if (!is_linearised) linearise_at(best.positions);
    is_linearised = true;
    Dense damped(length, length);
    damped.values = hessian_;
    for (std::size_t k = 0; k < length; ++k) damped(k, k) *= 1 + lambda;
    factor(damped, length, std::vector<double>(length, 1e-12));
    for (std::size_t k = 0; k < length; ++k) step[k] = -gradient_[k];
    substitute(damped, step);
    for (std::size_t k = 0; k < length; ++k) trial[k] = best.positions[k] + step[k];
    const double now = cost(trial);
    const double decrease = best.cost - now;
    lambda *= decrease > 0 ? 0.2 : 10;
    if (!(decrease > 0)) continue;
    best.cost = now;
    best.positions.swap(trial);
    is_linearised = false;
    if (decrease < ENOUGH) break;
  }
  for (const std::int32_t sensor : sensors) local_[static_cast<std::size_t>(sensor)] = -1;
  return best;
}

template <int D>
const double* Patch<D>::place_of(std::int32_t point, const std::vector<double>& x) const {
  if (graph_.is_sensor(point) && local_[static_cast<std::size_t>(point)] >= 0) {
    return &x[static_cast<std::size_t>(local_[static_cast<std::size_t>(point)]) * D];
  }
  return &points_[static_cast<std::size_t>(point) * D];
}

template <int D>
double Patch<D>::cost(const std::vector<double>& x) const {
  double sum = 0;
  for (std::size_t k = 0; k < sensors_.size(); ++k) {
    for (const RangeEnd& end : graph_.ends_of(sensors_[k])) {
      const bool is_inside = graph_.is_sensor(end.point) && local_[static_cast<std::size_t>(end.point)] >= 0;
      if (is_inside && end.point < sensors_[k]) continue;  // The other end counts it.
      const double distance = distance_between<D>(&x[k * D], place_of(end.point, x));
      sum += loss_.cost((end.range - distance) * end.precision);
    }
  }
  return sum;
}

template <int D>
void Patch<D>::linearise_at(const std::vector<double>& x) {
  const std::size_t length = x.size();
  hessian_.assign(length * length, 0.0);
  gradient_.assign(length, 0.0);
  for (std::size_t own = 0; own < sensors_.size(); ++own) {
    std::array<double, D * D> diagonal{};
    for (const RangeEnd& end : graph_.ends_of(sensors_[own])) {
      const Linearised<D> range = linearise<D>(end, sensors_[own], &x[own * D], place_of(end.point, x));
      const Bend bend = bend_of(end, range.distance, range.residual, loss_);
      for (int k = 0; k < D; ++k) gradient_[own * D + k] -= bend.force * range.direction[k];
      std::array<double, D * D> block{};
      add_link_block<D>(bend.weight - std::abs(bend.across), std::abs(bend.across), range.direction,
                        block.data());
      for (int k = 0; k < D * D; ++k) diagonal[k] += block[k];
      if (!graph_.is_sensor(end.point)) continue;
      const std::int32_t other = local_[static_cast<std::size_t>(end.point)];
      if (other <= static_cast<std::int32_t>(own)) continue;  // Outside, or in the upper triangle.
      for (std::size_t k = 0; k < D; ++k) {
        for (std::size_t l = 0; l < D; ++l) {
          hessian_[(own * D + l) * length + static_cast<std::size_t>(other) * D + k] = -block[k * D + l];
        }
      }
    }
    for (std::size_t k = 0; k < D; ++k) {
      for (std::size_t l = 0; l <= k; ++l) {
        hessian_[(own * D + l) * length + own * D + k] = diagonal[k * D + l];
      }
    }
  }
}

template class Patch<2>;
template class Patch<3>;

}  // namespace lockstep::splitting

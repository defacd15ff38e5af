#include "splitting/portfolio/lifted_fit.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace lockstep::splitting {
namespace {

constexpr double FIRST_DAMPING = 1e-3;
constexpr double LEAST_DAMPING = 1e-9;
constexpr double MOST_DAMPING = 1e8;
constexpr double NOTHING = 1e-20;
constexpr double PATIENCE = 20;  // Steps
// Relative decrease in a step below which exact second derivatives are tried, and steps before they are tried
// again where they did not help.
constexpr double NEAR = 1e-2;
constexpr int STEPS_BETWEEN_TRIALS = 4;
constexpr double MOST_EXACT_DAMPING = 1;

}  // namespace

template <int K>
LiftedFit<K>::LiftedFit(const RangeGraph& graph, const Loss& loss, BlockCholesky& cholesky,
                        std::span<const double> points)
    : graph_(graph), loss_(loss), cholesky_(cholesky), flat_(static_cast<std::size_t>(graph.dimension())) {
  const std::size_t anchors = points.size() / flat_ - static_cast<std::size_t>(graph.sensors());
  anchors_.assign(anchors * K, 0.0);
  for (std::size_t k = 0; k < anchors; ++k) {
    std::copy_n(&points[(static_cast<std::size_t>(graph.sensors()) + k) * flat_], flat_, &anchors_[k * K]);
  }
  const auto sensors = static_cast<std::size_t>(graph.sensors());
  diagonal_.resize(sensors * K * K);
  gradient_.resize(sensors * K);
  links_.resize(cholesky.links() * K * K);
}

template <int K>
const double* LiftedFit<K>::place(std::int32_t point, std::span<const double> positions) const {
  return graph_.is_sensor(point) ? &positions[static_cast<std::size_t>(point) * K]
                                 : &anchors_[static_cast<std::size_t>(point - graph_.sensors()) * K];
}

template <int K>
double LiftedFit<K>::cost(std::span<const double> positions, double penalty) const {
  double sum = 0;
  for (std::int32_t sensor = 0; sensor < graph_.sensors(); ++sensor) {
    const double* here = &positions[static_cast<std::size_t>(sensor) * K];
    for (const RangeEnd& end : graph_.ends_of(sensor)) {
      if (end.point < sensor) continue;  // The other end counts it.
      sum += loss_.cost((end.range - distance_between<K>(here, place(end.point, positions))) * end.precision);
    }
    for (std::size_t k = flat_; k < K; ++k) sum += 0.5 * penalty * here[k] * here[k];
  }
  return sum;
}

template <int K>
void LiftedFit<K>::linearise(std::span<const double> positions, double penalty, bool is_exact) {
  std::fill(diagonal_.begin(), diagonal_.end(), 0.0);
  std::fill(gradient_.begin(), gradient_.end(), 0.0);
  for (std::int32_t sensor = 0; sensor < graph_.sensors(); ++sensor) {
    const std::size_t at = static_cast<std::size_t>(sensor) * K;
    double* mine = &diagonal_[at * K];
    double* link = links_.data() + cholesky_.first_link(sensor) * K * K;
    for (const RangeEnd& end : graph_.ends_of(sensor)) {
      const double* there = place(end.point, positions);
      const double distance = distance_between<K>(&positions[at], there);
      double direction[K] = {};
      if (distance > 0) {
        for (int k = 0; k < K; ++k) direction[k] = (positions[at + k] - there[k]) / distance;
      } else {
        direction[0] = sensor < end.point ? 1 : -1;
      }
      const Bend bend = bend_of(end, distance, (end.range - distance) * end.precision, loss_);
      // The part of the range's curvature that is positive: Gauss–Newton needs a third more steps, and the
      // absolute value (Curvature::SAFE), whose steps are shorter, ends in worse minima.
      const double across = is_exact ? bend.across : std::max(bend.across, 0.0);
      const double along = bend.weight - across;
      for (int k = 0; k < K; ++k) gradient_[at + k] -= bend.force * direction[k];
      for (int k = 0; k < K; ++k) {
        for (int l = 0; l < K; ++l) {
          const double value = along * direction[k] * direction[l] + (k == l ? across : 0);
          mine[k * K + l] += value;
          link[k * K + l] = -value;
        }
      }
      link += K * K;
    }
    for (std::size_t k = flat_; k < K; ++k) {
      gradient_[at + k] += penalty * positions[at + k];
      mine[k * K + k] += penalty;
    }
  }
}

/// The step of least cost among those with heldᵀ step = 0, from the one among all: Lagrange's multiplier.
template <int K>
void LiftedFit<K>::hold(std::span<const double> held, std::span<double> step) const {
  std::vector<double> across(held.begin(), held.end());
  cholesky_.solve(across);
  const double along = std::inner_product(held.begin(), held.end(), step.begin(), 0.0);
  const double scale = along / std::inner_product(held.begin(), held.end(), across.begin(), 0.0);
  for (std::size_t at = 0; at < step.size(); ++at) step[at] -= scale * across[at];
}

template <int K>
double LiftedFit<K>::descend(const Pressing& pressing, std::span<double> positions) {
  double now = cost(positions, pressing.penalty);
  std::vector<double> damped, step(positions.size()), trial(positions.size());
  double safe_lambda = FIRST_DAMPING;
  double exact_lambda = FIRST_DAMPING;
  bool is_linearised = false;
  bool is_exact = false;
  int next_trial = 0;
  for (int steps = 0; steps < pressing.max_steps && safe_lambda < MOST_DAMPING && now > NOTHING; ++steps) {
    double& lambda = is_exact ? exact_lambda : safe_lambda;
    if (!is_linearised) linearise(positions, pressing.penalty, is_exact);
    is_linearised = true;
    damped = diagonal_;
    for (std::size_t at = 0; at < positions.size(); ++at) {
      damped[at * K + at % K] *= 1 + lambda;
      step[at] = -gradient_[at];
    }
    const bool is_definite = cholesky_.factor(K, damped, links_);
    double then = now;
    if (is_definite || !is_exact) {
      cholesky_.solve(step);
      if (!pressing.held.empty()) hold(pressing.held, step);
      for (std::size_t at = 0; at < step.size(); ++at) trial[at] = positions[at] + step[at];
      then = cost(trial, pressing.penalty);
    }
    if (!(then < now)) {
      lambda *= 8;
      if (is_exact && lambda > MOST_EXACT_DAMPING) {
        is_exact = is_linearised = false;
        exact_lambda = FIRST_DAMPING;
        next_trial = steps + STEPS_BETWEEN_TRIALS;
      }
      continue;
    }
    const bool is_hopeless = PATIENCE * (now - then) < then - pressing.goal;
    const bool is_done = now - then < std::max(pressing.tolerance * now, pressing.enough) || is_hopeless;
    lambda = std::max(lambda * 0.2, LEAST_DAMPING);
    is_exact = K == flat_ && now - then < NEAR * now && steps >= next_trial;
    std::copy(trial.begin(), trial.end(), positions.begin());
    now = then;
    is_linearised = false;
    if (is_done) break;
  }
  return now;
}

template class LiftedFit<2>;
template class LiftedFit<3>;
template class LiftedFit<4>;
template class LiftedFit<5>;

}  // namespace lockstep::splitting

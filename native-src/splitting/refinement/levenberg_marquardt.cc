#include "splitting/refinement/levenberg_marquardt.h"

#include <algorithm>
#include <array>
#include <vector>

#include "splitting/refinement/conjugate_gradients.h"
#include "splitting/refinement/normal_matrix.h"

namespace lockstep::splitting {
namespace {

// How exactly a step is solved for. With safe curvature the model is rough; with the exact one, two digits a
// step are four in the cost, and a more exact step costs more than another one.
constexpr double SAFE_STEP = 0.1;
constexpr double EXACT_STEP = 0.01;
constexpr int MOST_INNER_ITERATIONS = 500;
constexpr double FIRST_DAMPING = 1e-3;
constexpr double LEAST_DAMPING = 1e-6;
constexpr double MOST_DAMPING = 1e6;
// A cost that still falls by more than this share a step is too far from its minimum for exact curvature.
constexpr double NEAR = 1e-2;
// The residuals of noiseless ranges shrink until rounding stops them; there is no relative decrease to see.
constexpr double NOTHING = 1e-20;

/// λ after a step whose decrease was `ratio` times the model's (Nielsen, IMM-REP-1999-05, with a constant
/// factor).
double next_damping(double lambda, double ratio) {
  if (!(ratio > 0)) return 8 * lambda;
  const double t = 2 * ratio - 1;
  return std::max(lambda * std::clamp(1 - t * t * t, 0.1, 2.0), LEAST_DAMPING);
}

template <int D>
class Descent {
 public:
  Descent(const RangeGraph& graph, const SensorSlices& slices, const Loss& loss, std::span<double> points)
      : graph_(graph),
        slices_(slices),
        loss_(loss),
        points_(points),
        matrix_(graph, slices),
        gradient_(static_cast<std::size_t>(slices.size()) * D),
        step_(static_cast<std::size_t>(graph.sensors()) * D),
        trial_(points.begin(), points.end()),
        cost_(total_cost<D>(graph, slices, loss, points)) {}

  double cost() const { return cost_; }
  bool can_go_on() const { return safe_lambda_ < MOST_DAMPING; }

  /// One step, which may fail and then leaves the points. @return the decrease that its model promised
  double advance() {
    Solution solution = find_step();
    if (solution.is_indefinite) {
      curvature_ = Curvature::SAFE;
      is_linearised_ = false;
      solution = find_step();
    }
    for (std::size_t k = 0; k < step_.size(); ++k) trial_[k] = points_[k] + step_[k];
    const double cost = total_cost<D>(graph_, slices_, loss_, trial_);
    const double decrease = cost_ - cost;
    const bool is_near = solution.decrease < NEAR * cost_;
    lambda() = next_damping(lambda(), decrease / solution.decrease);
    if (decrease > 0) {
      std::copy_n(trial_.begin(), step_.size(), points_.begin());
      cost_ = cost;
      is_linearised_ = false;
    }
    const Curvature next = is_near && decrease > 0 ? Curvature::EXACT : Curvature::SAFE;
    if (next != curvature_) is_linearised_ = false;
    curvature_ = next;
    return solution.decrease;
  }

 private:
  double& lambda() { return curvature_ == Curvature::SAFE ? safe_lambda_ : exact_lambda_; }

  Solution find_step() {
    if (!is_linearised_) matrix_.update(points_, loss_, curvature_, gradient_);
    is_linearised_ = true;
    matrix_.damp(lambda());
    const double tolerance = curvature_ == Curvature::SAFE ? SAFE_STEP : EXACT_STEP;
    return solve<D>(matrix_, slices_, gradient_, tolerance, MOST_INNER_ITERATIONS, step_);
  }

  const RangeGraph& graph_;
  const SensorSlices& slices_;
  const Loss loss_;
  const std::span<double> points_;
  NormalMatrix<D> matrix_;
  std::vector<double> gradient_;
  std::vector<double> step_;
  std::vector<double> trial_;
  double cost_;
  double exact_lambda_ = FIRST_DAMPING;
  double safe_lambda_ = LEAST_DAMPING;
  Curvature curvature_ = Curvature::SAFE;
  bool is_linearised_ = false;
};

}  // namespace

template <int D>
double total_cost(const RangeGraph& graph, const SensorSlices& slices, const Loss& loss,
                  std::span<const double> points) {
  return slices.sum<1>([&](std::int32_t sensor) {
    double at_anchors = 0;
    double at_sensors = 0;
    const double* here = &points[static_cast<std::size_t>(sensor) * D];
    for (const RangeEnd& end : graph.ends_of(sensor)) {
      const double distance = distance_between<D>(here, &points[static_cast<std::size_t>(end.point) * D]);
      const double cost = loss.cost((end.range - distance) * end.precision);
      (graph.is_sensor(end.point) ? at_sensors : at_anchors) += cost;
    }
    return std::array<double, 1>{at_anchors + 0.5 * at_sensors};  // The other end adds the other half.
  })[0];
}

template <int D>
Refinement descend(const RangeGraph& graph, const SensorSlices& slices, const Loss& loss,
                   const Ending& ending, std::span<double> points) {
  Descent<D> descent(graph, slices, loss, points);
  Refinement result;
  while (result.iterations < ending.max_steps && !result.converged && descent.can_go_on()) {
    const double cost = descent.cost();
    const double promised = descent.advance();
    ++result.iterations;
    result.converged = promised <= ending.tolerance * cost || cost <= NOTHING;
  }
  result.cost = descent.cost();
  return result;
}

template double total_cost<2>(const RangeGraph&, const SensorSlices&, const Loss&, std::span<const double>);
template double total_cost<3>(const RangeGraph&, const SensorSlices&, const Loss&, std::span<const double>);
template Refinement descend<2>(const RangeGraph&, const SensorSlices&, const Loss&, const Ending&,
                               std::span<double>);
template Refinement descend<3>(const RangeGraph&, const SensorSlices&, const Loss&, const Ending&,
                               std::span<double>);

}  // namespace lockstep::splitting

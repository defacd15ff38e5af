#include "splitting/covariance/curvature.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include "splitting/covariance/gaussian.h"
#include "splitting/covariance/soft_modes.h"
#include "splitting/factorisation/block_cholesky.h"
#include "splitting/portfolio/lifted_fit.h"

namespace lockstep::splitting {
namespace {

constexpr std::size_t MODES = 8;
constexpr std::size_t MOST_SIMULATED = 32;
constexpr std::size_t LEAST_SIMULATED = 8;
// Hermite's three nodes are 0 and ±√3, with weights 2/3 and twice 1/6.
const double NODE = std::sqrt(3.0);
constexpr double WEIGHT_OF_NODE = 1.0 / 6;
constexpr int MOST_STEPS = 12;
constexpr double ENOUGH = 0.01;  // In the cost: less moves nobody by a standard deviation.
// Floating-point operations that all fits may take: of the order of the splitting's own 500 iterations.
constexpr double OPERATIONS = 2e9;
constexpr double OPERATIONS_OF_A_SENSOR = 2e6;
constexpr int USUAL_STEPS = 6;
constexpr double MOST_MOVE = 20;  // Mean ranges; what moves farther is not determined.

template <int D>
class Curvature {
 public:
  Curvature(const RangeGraph& graph, const Loss& loss, std::span<const double> points)
      : graph_(graph),
        loss_(loss),
        points_(points),
        length_(static_cast<std::size_t>(graph.sensors()) * D),
        simulated_(graph),
        normal_(graph, points),
        fits_(graph, points) {
    double ends = 0;
    for (std::int32_t sensor = 0; sensor < graph.sensors(); ++sensor)
      ends += static_cast<double>(graph.ends_of(sensor).size());
    usual_cost_ = std::max(1.0, 0.25 * ends);
    plan();
    if (fits() == 0) return;
    factor_normal_matrix(graph, loss, points, normal_);
    modes_ = soft_modes(graph, normal_, MODES);
  }

  std::size_t fits() const { return along_modes_ + simulations_; }

  double weight(std::size_t fit) const {
    return fit < along_modes_ ? WEIGHT_OF_NODE : 1 / static_cast<double>(simulations_);
  }

  /// How far a fit ends from where its linearisation does: sensors × d.
  std::vector<double> run(std::size_t fit) {
    return fit < along_modes_ ? along_mode(fit / 2, fit % 2 == 0 ? NODE : -NODE)
                              : simulate((fit - along_modes_) / 2, fit % 2 == 0 ? 1 : -1);
  }

 private:
  /// As many fits as the operations allow, those along modes first.
  void plan() {
    const double each = USUAL_STEPS * fits_.operations(D);
    const double left = (OPERATIONS + OPERATIONS_OF_A_SENSOR * graph_.sensors()) / each;
    along_modes_ = 2 * std::min(MODES, length_);
    if (left < static_cast<double>(along_modes_)) along_modes_ = 0;
    const double rest = std::min(left - static_cast<double>(along_modes_), double{MOST_SIMULATED});
    simulations_ = along_modes_ > 0 && rest >= LEAST_SIMULATED ? static_cast<std::size_t>(rest) / 2 * 2 : 0;
  }

  std::vector<double> along_mode(std::size_t number, double node) {
    if (number >= modes_.size()) return std::vector<double>(length_, 0.0);
    const SoftMode& mode = modes_[number];
    std::vector<double> motion(length_);
    for (std::size_t at = 0; at < length_; ++at) motion[at] = node * mode.deviation * mode.direction[at];
    return bend(graph_, motion, mode.direction);
  }

  /// Without the motion along the softest modes, which have fits of their own.
  std::vector<double> simulate(std::size_t number, double sign) {
    const auto error = [&](std::int32_t sensor, const RangeEnd& end) {
      return sign * error_of(number, sensor, end.point) / end.precision;
    };
    simulated_.measure_at<D>(points_, error);
    std::vector<double> motion = linearised_motion();
    std::vector<double> soft(points_.size(), 0.0);  // Anchors stay.
    for (const SoftMode& mode : modes_) {
      const double along = std::inner_product(motion.begin(), motion.end(), mode.direction.begin(), 0.0);
      for (std::size_t at = 0; at < length_; ++at) soft[at] += along * mode.direction[at];
    }
    for (std::size_t at = 0; at < length_; ++at) motion[at] -= soft[at];
    simulated_.measure_at<D>(points_, [&](std::int32_t sensor, const RangeEnd& end) {
      const Linearised<D> range = linearise<D>(end, sensor, points_.data());
      double by_modes = 0;
      for (std::size_t k = 0; k < D; ++k) {
        by_modes += range.direction[k] * (soft[static_cast<std::size_t>(sensor) * D + k] -
                                          soft[static_cast<std::size_t>(end.point) * D + k]);
      }
      return error(sensor, end) - by_modes;
    });
    return bend(simulated_, motion, {});
  }

  /// The same from both ends of a range.
  double error_of(std::size_t number, std::int32_t sensor, std::int32_t point) const {
    const auto [first, second] = std::minmax(sensor, point);
    const std::uint64_t pair =
        static_cast<std::uint64_t>(first) * (points_.size() / D) + static_cast<std::uint64_t>(second);
    return Gaussian(pair * MOST_SIMULATED + number)();
  }

  /// (JᵀWJ)⁻¹ JᵀW times what the simulated ranges are off by.
  std::vector<double> linearised_motion() const {
    std::vector<double> motion(length_, 0.0);
    for (std::int32_t sensor = 0; sensor < graph_.sensors(); ++sensor) {
      for (const RangeEnd& end : simulated_.ends_of(sensor)) {
        const Linearised<D> range = linearise<D>(end, sensor, points_.data());
        const double pull = loss_.weight(range.residual) * range.residual * end.precision;
        for (std::size_t k = 0; k < D; ++k)
          motion[static_cast<std::size_t>(sensor) * D + k] += pull * range.direction[k];
      }
    }
    normal_.solve(motion);
    return motion;
  }

  /// @param motion by the linearisation
  std::vector<double> bend(const RangeGraph& graph, const std::vector<double>& motion,
                           std::span<const double> held) {
    std::vector<double> positions(points_.begin(), points_.begin() + static_cast<std::ptrdiff_t>(length_));
    const double most = MOST_MOVE * graph.mean_range();
    for (std::size_t at = 0; at < length_; ++at) {
      positions[at] += motion[at];
      if (!(std::abs(motion[at]) < most)) return std::vector<double>(length_, 0.0);  // NaN, too
    }
    LiftedFit<D>(graph, loss_, fits_, points_)
        .descend({.max_steps = MOST_STEPS, .tolerance = ENOUGH / usual_cost_, .held = held}, positions);
    for (std::size_t at = 0; at < length_; ++at) positions[at] -= points_[at] + motion[at];
    return positions;
  }

  const RangeGraph& graph_;
  const Loss loss_;
  const std::span<const double> points_;
  const std::size_t length_;
  RangeGraph simulated_;
  BlockCholesky normal_;  ///< of the normal matrix at the estimate
  BlockCholesky fits_;
  double usual_cost_;
  std::size_t along_modes_ = 0;
  std::size_t simulations_ = 0;
  std::vector<SoftMode> modes_;
};

template <int D>
void add_in(Communicator& ranks, const RangeGraph& graph, const SensorSlices& slices, const Loss& loss,
            std::span<const double> points, std::span<double> covariances) {
  Curvature<D> curvature(graph, loss, points);
  const auto sensors = static_cast<std::size_t>(graph.sensors());
  const auto rank = static_cast<std::size_t>(ranks.rank());
  const auto size = static_cast<std::size_t>(ranks.size());
  std::vector<double> list;
  for (std::size_t fit = rank; fit < curvature.fits(); fit += size) {
    const std::vector<double> difference = curvature.run(fit);
    list.insert(list.end(), difference.begin(), difference.end());
  }
  const std::vector<double> all = slices.gather_lists(list);
  std::vector<std::size_t> next(size, 0);  // Where each rank's differences begin.
  for (std::size_t k = 1; k < size; ++k) {
    const std::size_t before = (curvature.fits() + size - k) / size;  // Of rank k − 1.
    next[k] = next[k - 1] + before * sensors * D;
  }
  for (std::size_t fit = 0; fit < curvature.fits(); ++fit) {
    const double* difference = &all[next[fit % size]];
    next[fit % size] += sensors * D;
    for (std::size_t sensor = 0; sensor < sensors; ++sensor) {
      const double* off = difference + sensor * D;
      for (std::size_t k = 0; k < D; ++k) {
        for (std::size_t l = 0; l < D; ++l)
          covariances[(sensor * D + k) * D + l] += curvature.weight(fit) * (off[k] * off[l]);
      }
    }
  }
}

}  // namespace

void add_curvature(Communicator& ranks, const RangeGraph& graph, const SensorSlices& slices, const Loss& loss,
                   std::span<const double> points, std::span<double> covariances) {
  if (graph.dimension() == 2) {
    add_in<2>(ranks, graph, slices, loss, points, covariances);
  } else {
    add_in<3>(ranks, graph, slices, loss, points, covariances);
  }
}

}  // namespace lockstep::splitting

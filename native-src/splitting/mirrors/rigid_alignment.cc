#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

#include "splitting/factorisation/dense_cholesky.h"
#include "splitting/mirrors/mirror_candidates.h"

namespace lockstep::splitting {
namespace {

constexpr int MOST_STEPS = 12;
constexpr double ENOUGH = 1e-3;  // Relative decrease of the cost in a step.
constexpr double MOST_DAMPING = 1e4;
constexpr double LEAST_PIVOT = 1e-12;

/// A shift, and a turn about the group's centre.
template <int D>
using Motion = std::array<double, D == 2 ? 3 : 6>;

template <int D>
class Alignment {
 public:
  Alignment(const RangeGraph& graph, const Loss& loss, std::span<const double> points,
            MirrorCandidate& candidate)
      : loss_(loss), points_(points), candidate_(candidate) {
    const std::vector<std::int32_t>& group = candidate.sensors;
    for (std::size_t k = 0; k < group.size(); ++k) {
      for (const RangeEnd& end : graph.ends_of(group[k])) {
        if (std::binary_search(group.begin(), group.end(), end.point)) continue;
        cut_.push_back({k, &end});
        here_ += residual_cost(end, &points[static_cast<std::size_t>(group[k]) * D]);
      }
      for (int axis = 0; axis < D; ++axis) {
        center_[axis] += candidate.positions[k * D + axis] / static_cast<double>(group.size());
      }
    }
  }

  void run() {
    double now = cost(candidate_.positions);
    double lambda = 1e-3;
    for (int step = 0; step < MOST_STEPS && lambda < MOST_DAMPING; ++step) {
      const std::vector<double> trial = moved(solve(lambda));
      const double then = cost(trial);
      if (!(then < now)) {
        lambda = 10 * lambda;
        continue;
      }
      const bool is_done = now - then < ENOUGH * now;
      candidate_.positions = trial;
      now = then;
      lambda *= 0.1;
      if (is_done) break;
    }
    candidate_.rise = now - here_;
  }

 private:
  static constexpr std::size_t SIZE = std::tuple_size_v<Motion<D>>;

  struct Cut {
    std::size_t place;  ///< in the group
    const RangeEnd* end;
  };

  const double* other(const Cut& cut) const { return &points_[static_cast<std::size_t>(cut.end->point) * D]; }

  double residual_cost(const RangeEnd& end, const double* at) const {
    const double distance = distance_between<D>(at, &points_[static_cast<std::size_t>(end.point) * D]);
    return loss_.cost((end.range - distance) * end.precision);
  }

  double cost(const std::vector<double>& positions) const {
    double sum = 0;
    for (const Cut& cut : cut_) sum += residual_cost(*cut.end, &positions[cut.place * D]);
    return sum;
  }

  Motion<D> solve(double lambda) const {
    Dense normal(SIZE, SIZE);
    Motion<D> motion{};
    for (const Cut& cut : cut_) {
      const double* at = &candidate_.positions[cut.place * D];
      const double distance = distance_between<D>(at, other(cut));
      if (!(distance > 0)) continue;
      const double residual = (cut.end->range - distance) * cut.end->precision;
      const double weight = loss_.weight(residual);
      const Motion<D> row = derivative(at, other(cut), distance, cut.end->precision);
      for (std::size_t i = 0; i < SIZE; ++i) {
        motion[i] += weight * residual * row[i];
        for (std::size_t j = 0; j <= i; ++j) normal(i, j) += weight * row[i] * row[j];
      }
    }
    std::array<double, SIZE> least;
    for (std::size_t i = 0; i < SIZE; ++i) {
      least[i] = std::max(LEAST_PIVOT * normal(i, i), 1e-300);
      normal(i, i) *= 1 + lambda;
    }
    factor(normal, SIZE, least);
    substitute(normal, motion);
    return motion;
  }

  /// Of the standardised distance, by the motion.
  Motion<D> derivative(const double* at, const double* there, double distance, double precision) const {
    double u[D], arm[D];
    Motion<D> row{};
    for (int k = 0; k < D; ++k) {
      u[k] = precision * (at[k] - there[k]) / distance;
      arm[k] = at[k] - center_[k];
      row[static_cast<std::size_t>(k)] = u[k];
    }
    if constexpr (D == 2) {
      row[2] = arm[0] * u[1] - arm[1] * u[0];
    } else {
      for (std::size_t k = 0; k < 3; ++k) {
        row[3 + k] = arm[(k + 1) % 3] * u[(k + 2) % 3] - arm[(k + 2) % 3] * u[(k + 1) % 3];
      }
    }
    return row;
  }

  std::vector<double> moved(const Motion<D>& motion) const {
    double angle = 0;
    for (std::size_t k = D; k < SIZE; ++k) angle += motion[k] * motion[k];
    angle = std::sqrt(angle);
    const double sine = std::sin(angle);
    const double cosine = std::cos(angle);
    std::vector<double> positions = candidate_.positions;
    for (std::size_t k = 0; k < positions.size(); k += D) {
      double arm[D];
      for (int axis = 0; axis < D; ++axis) arm[axis] = positions[k + axis] - center_[axis];
      double turned[D];
      if constexpr (D == 2) {
        const double side = motion[2] < 0 ? -sine : sine;
        turned[0] = cosine * arm[0] - side * arm[1];
        turned[1] = side * arm[0] + cosine * arm[1];
      } else {  // Rodrigues' formula.
        double axis[3] = {};
        double along = 0;
        for (int i = 0; i < 3; ++i) {
          axis[i] = angle > 0 ? motion[3 + static_cast<std::size_t>(i)] / angle : 0;
          along += axis[i] * arm[i];
        }
        for (int i = 0; i < 3; ++i) {
          const int j = (i + 1) % 3;
          const int l = (i + 2) % 3;
          turned[i] =
              cosine * arm[i] + sine * (axis[j] * arm[l] - axis[l] * arm[j]) + (1 - cosine) * along * axis[i];
        }
      }
      for (int axis = 0; axis < D; ++axis) {
        positions[k + axis] = center_[axis] + turned[axis] + motion[static_cast<std::size_t>(axis)];
      }
    }
    return positions;
  }

  const Loss loss_;
  const std::span<const double> points_;
  MirrorCandidate& candidate_;
  std::vector<Cut> cut_;
  double here_ = 0;
  std::array<double, D> center_{};
};

}  // namespace

void align(const RangeGraph& graph, const Loss& loss, std::span<const double> points,
           MirrorCandidate& candidate) {
  if (graph.dimension() == 2) {
    Alignment<2>(graph, loss, points, candidate).run();
  } else {
    Alignment<3>(graph, loss, points, candidate).run();
  }
}

}  // namespace lockstep::splitting

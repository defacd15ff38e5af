#pragma once

/// @file
/// All ranges of a network from each sensor's point of view, and what a range costs.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "splitting/network/network.h"

namespace lockstep::splitting {

/// A range as one of its ends sees it. Points are the sensors, then the anchors.
struct RangeEnd {
  std::int32_t point;  ///< the other end
  double range;
  double precision;  ///< 1 / standard deviation of the range
  double deviation;  ///< the part of that which does not grow with the distance
};

/// Compressed rows: sensor-sensor ranges appear in both ends' rows.
class RangeGraph {
 public:
  /// The variance of a range is the square of noise_factor times the range, which counts as at least a
  /// thousandth of the network's mean range (otherwise a range of zero would weigh infinitely), and of the
  /// range's own deviation.
  RangeGraph(const Network& network, double noise_factor);

  /// Some sensors of a network, among all others at fixed places: those that `sensors` have ranges to become
  /// its anchors, after the network's own order. Ranges keep their precisions.
  /// @param points points × d of `whole`
  RangeGraph(const RangeGraph& whole, std::span<const std::int32_t> sensors, std::span<const double> points);

  /// Takes each standard deviation from the distance at `points` instead of from the range, which is off
  /// itself: weights of measured ranges favour those that came out short, so that the network shrinks (by 4 %
  /// at 20 % noise), and miss the covariances by as much. A distance counts as at least half the range, so
  /// that sensors at the wrong place do not hold on to each other.
  /// @param points points × d
  void weigh_by(std::span<const double> points);

  /// Replaces all ranges by the distances between `points` and what they are off by, error(sensor, range
  /// end), which has to be the same from both ends. Weights stay. @param points points × d
  template <int D, typename Error>
  void measure_at(std::span<const double> points, const Error& error);

  int dimension() const { return dimension_; }
  std::int32_t sensors() const { return static_cast<std::int32_t>(offsets_.size()) - 1; }
  bool is_sensor(std::int32_t point) const { return point < sensors(); }

  /// Sorted by point: sensors first.
  std::span<const RangeEnd> ends_of(std::int32_t sensor) const {
    const auto begin = static_cast<std::size_t>(offsets_[static_cast<std::size_t>(sensor)]);
    const auto end = static_cast<std::size_t>(offsets_[static_cast<std::size_t>(sensor) + 1]);
    return std::span(ends_).subspan(begin, end - begin);
  }

  double mean_range() const { return mean_range_; }

  /// 1 / standard deviation of a range. @param distance that the part which grows with it is taken from
  double precision_of(double distance, double deviation) const;

  /// @param positions sensors × d @return points × d: the anchors follow
  std::vector<double> points_at(std::span<const double> positions) const;

 private:
  int dimension_;
  double noise_factor_;
  double mean_range_;
  std::vector<std::int64_t> offsets_;
  std::vector<RangeEnd> ends_;
  std::vector<double> anchor_positions_;
};

/// ½ t², or Huber's loss of a standardised residual t.
struct Loss {
  double threshold;  ///< 0: least squares

  double cost(double t) const {
    const double size = std::abs(t);
    return threshold > 0 && size > threshold ? threshold * (size - 0.5 * threshold) : 0.5 * t * t;
  }
  /// What iteratively reweighted least squares multiplies the square by.
  double weight(double t) const {
    const double size = std::abs(t);
    return threshold > 0 && size > threshold ? threshold / size : 1;
  }
};

/// A range between two points where they are now.
template <int D>
struct Linearised {
  double distance;
  double residual;                  ///< standardised: (range − distance) / standard deviation
  std::array<double, D> direction;  ///< of `from` as seen from the other end; a unit vector
};

/// The unit vector that stands in for the direction between points at the same place, which has none: fixed
/// for each pair, spread over the circle or sphere, opposite for the two ends. So coincident points part.
template <int D>
std::array<double, D> direction_of_coincident(std::int32_t from, std::int32_t to) {
  constexpr double GOLDEN_RATIO = 0.6180339887498949;
  constexpr double PLASTIC_RATIO = 0.7548776662466927;
  const double pair = static_cast<double>(from) + static_cast<double>(to);
  const double s = 2 * (pair * GOLDEN_RATIO - std::floor(pair * GOLDEN_RATIO)) - 1;
  const double scale = (from < to ? 1 : -1) / (1 + s * s);
  std::array<double, D> direction{scale * (1 - s * s), scale * 2 * s};
  if constexpr (D == 3) {
    const double rise = 2 * (pair * PLASTIC_RATIO - std::floor(pair * PLASTIC_RATIO)) - 1;
    const double flat = std::sqrt(1 - rise * rise);
    direction = {flat * direction[0], flat * direction[1], from < to ? rise : -rise};
  }
  return direction;
}

template <int D>
double distance_between(const double* a, const double* b) {
  double square = 0;
  for (int k = 0; k < D; ++k) square += (a[k] - b[k]) * (a[k] - b[k]);
  return std::sqrt(square);
}

template <int D, typename Error>
void RangeGraph::measure_at(std::span<const double> points, const Error& error) {
  for (std::int32_t sensor = 0; sensor < sensors(); ++sensor) {
    const auto row = static_cast<std::size_t>(sensor);
    for (std::int64_t k = offsets_[row]; k < offsets_[row + 1]; ++k) {
      RangeEnd& end = ends_[static_cast<std::size_t>(k)];
      const double distance =
          distance_between<D>(&points[row * D], &points[static_cast<std::size_t>(end.point) * D]);
      end.range = std::max(0.0, distance + error(sensor, end));
    }
  }
}

/// @param a where `from` is; @param b where the other end is
template <int D>
Linearised<D> linearise(const RangeEnd& end, std::int32_t from, const double* a, const double* b) {
  const double distance = distance_between<D>(a, b);
  Linearised<D> result{distance, (end.range - distance) * end.precision, {}};
  if (distance > 0) {
    for (int k = 0; k < D; ++k) result.direction[k] = (a[k] - b[k]) / distance;
  } else {
    result.direction = direction_of_coincident<D>(from, end.point);
  }
  return result;
}

/// @param points points × D
template <int D>
Linearised<D> linearise(const RangeEnd& end, std::int32_t from, const double* points) {
  return linearise<D>(end, from, points + static_cast<std::size_t>(from) * D,
                      points + static_cast<std::size_t>(end.point) * D);
}

/// The derivatives of a range's cost. It curves the cost by its weight w along its direction u and by
/// w (1 − r / e) across it, for range r and distance e: w u uᵀ + w (1 − r / e) (I − u uᵀ). Gauss–Newton drops
/// the second term, and overshoots in directions that no range holds unless it counts.
struct Bend {
  double force;   ///< −∂cost/∂distance
  double weight;  ///< w
  double across;  ///< w (1 − r / e), at least −w
};

inline Bend bend_of(const RangeEnd& end, double distance, double residual, const Loss& loss) {
  const double slope = loss.weight(residual) * end.precision;
  const double weight = slope * end.precision;
  return {slope * residual, weight,
          distance > 0 ? std::max(weight * (1 - end.range / distance), -weight) : weight};
}

}  // namespace lockstep::splitting

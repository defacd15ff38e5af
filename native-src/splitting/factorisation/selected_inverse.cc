#include "splitting/factorisation/selected_inverse.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "splitting/factorisation/small_block.h"

namespace lockstep::splitting {
namespace {

// A relative weight so small that it changes no covariance in the digits that count, and which makes a
// matrix that is singular factorise: what the ranges do not determine then gets a variance of at least
// 1 / SLACK over the number of sensors that move together …
constexpr double SLACK = 1e-13;
// … and is told by it. A standard deviation of 30,000 times that of one range is no answer in any case: the
// ranges are not linear over such a distance.
constexpr double UNDETERMINED = 1e9;

std::size_t sensors_of(const Front& front) { return front.own.size() + front.border.size(); }

std::int32_t sensor_at(const Front& front, std::size_t place) {
  return place < front.own.size() ? front.own[place] : front.border[place - front.own.size()];
}

/// Copies the rows below `own` of the first `own` columns.
Dense below(const Dense& factor, std::size_t own) {
  Dense rest(factor.rows - own, own);
  for (std::size_t j = 0; j < own; ++j) {
    std::copy_n(&factor.values[j * factor.rows + own], rest.rows, &rest.values[j * rest.rows]);
  }
  return rest;
}

}  // namespace

SelectedInverse::SelectedInverse(const RangeGraph& graph, const Loss& loss, std::span<const double> points)
    : graph_(graph),
      loss_(loss),
      points_(points),
      dimension_(static_cast<std::size_t>(graph.dimension())),
      fronts_(dissect(graph, points)),
      factors_(fronts_.size()),
      local_(static_cast<std::size_t>(graph.sensors()), -1),
      weights_(static_cast<std::size_t>(graph.sensors()), 0.0) {}

void SelectedInverse::diagonal_blocks(std::span<double> out) {
  factor_all();
  std::vector<Dense> inverses(fronts_.size());
  std::vector<int> children(fronts_.size(), 0);
  for (const Front& front : fronts_) {
    if (front.parent >= 0) ++children[static_cast<std::size_t>(front.parent)];
  }
  for (std::size_t number = fronts_.size(); number-- > 0;) {
    const Front& front = fronts_[number];
    const auto parent = static_cast<std::size_t>(std::max(front.parent, 0));
    Dense inverse = invert(number, front.parent < 0 ? Dense() : inverses[parent]);
    if (front.parent >= 0 && --children[parent] == 0) inverses[parent] = {};
    write_blocks(front, inverse, out);
    if (children[number] > 0) inverses[number] = std::move(inverse);
    factors_[number] = {};
  }
}

void SelectedInverse::factor_all() {
  std::vector<std::vector<std::size_t>> children(fronts_.size());
  std::vector<Dense> updates(fronts_.size());
  for (std::size_t number = 0; number < fronts_.size(); ++number) {
    const Front& front = fronts_[number];
    if (front.parent >= 0) children[static_cast<std::size_t>(front.parent)].push_back(number);
    Dense matrix = assemble(front);
    for (const std::size_t child : children[number]) {
      add_update(fronts_[child], front, updates[child], matrix);
      updates[child] = {};
    }
    const std::size_t own = front.own.size() * dimension_;
    std::vector<double> least_pivots;
    for (const std::int32_t sensor : front.own) {
      const double weight = weights_[static_cast<std::size_t>(sensor)];
      least_pivots.insert(least_pivots.end(), dimension_, weight > 0 ? SLACK * weight : 1);
    }
    factor(matrix, own, least_pivots);
    const std::size_t rest = matrix.rows - own;
    Dense update(rest, rest);
    for (std::size_t j = 0; j < rest; ++j) {
      std::copy_n(&matrix(own + j, own + j), rest - j, &update(j, j));
    }
    updates[number] = std::move(update);
    matrix.values.resize(matrix.rows * own);
    matrix.values.shrink_to_fit();
    matrix.columns = own;
    factors_[number] = std::move(matrix);
  }
}

Dense SelectedInverse::assemble(const Front& front) {
  const std::size_t size = sensors_of(front) * dimension_;
  Dense matrix(size, size);
  for (std::size_t place = 0; place < sensors_of(front); ++place) {
    local_[static_cast<std::size_t>(sensor_at(front, place))] = static_cast<std::int32_t>(place);
  }
  if (dimension_ == 2) {
    add_ranges<2>(front, matrix);
  } else {
    add_ranges<3>(front, matrix);
  }
  for (std::size_t place = 0; place < sensors_of(front); ++place) {
    local_[static_cast<std::size_t>(sensor_at(front, place))] = -1;
  }
  return matrix;
}

template <int D>
void SelectedInverse::add_ranges(const Front& front, Dense& matrix) {
  for (std::size_t own = 0; own < front.own.size(); ++own) {
    const std::int32_t sensor = front.own[own];
    double block[D * D] = {};
    for (const RangeEnd& end : graph_.ends_of(sensor)) {
      const Linearised<D> range = linearise<D>(end, sensor, points_.data());
      const double weight = loss_.weight(range.residual) * end.precision * end.precision;
      double outer[D * D] = {};
      add_link_block<D>(weight, 0, range.direction, outer);
      for (int k = 0; k < D * D; ++k) block[k] += outer[k];
      const std::int32_t other =
          graph_.is_sensor(end.point) ? local_[static_cast<std::size_t>(end.point)] : -1;
      if (other <= static_cast<std::int32_t>(own))
        continue;  // An anchor, eliminated, or its own turn adds it.
      for (std::size_t k = 0; k < D; ++k) {
        for (std::size_t l = 0; l < D; ++l) {
          matrix(static_cast<std::size_t>(other) * D + k, own * D + l) = -outer[k * D + l];
        }
      }
    }
    double trace = 0;
    for (int k = 0; k < D; ++k) trace += block[k * D + k];
    weights_[static_cast<std::size_t>(sensor)] = trace;
    for (std::size_t k = 0; k < D; ++k) {
      for (std::size_t l = 0; l <= k; ++l) matrix(own * D + k, own * D + l) = block[k * D + l];
      matrix(own * D + k, own * D + k) += SLACK * trace;
    }
  }
}

/// Where the child's border is among the parent's sensors, which it is a part of, in the same order.
std::vector<std::size_t> SelectedInverse::places_in(const Front& parent, const Front& child) const {
  std::vector<std::size_t> places;
  std::size_t place = 0;
  for (const std::int32_t sensor : child.border) {
    while (sensor_at(parent, place) != sensor) ++place;
    for (std::size_t k = 0; k < dimension_; ++k) places.push_back(place * dimension_ + k);
  }
  return places;
}

void SelectedInverse::add_update(const Front& child, const Front& parent, const Dense& update,
                                 Dense& matrix) const {
  const std::vector<std::size_t> places = places_in(parent, child);
  for (std::size_t j = 0; j < places.size(); ++j) {
    for (std::size_t i = j; i < places.size(); ++i) matrix(places[i], places[j]) += update(i, j);
  }
}

/// With L = [L_oo; L_bo] and K = L_bo L_oo⁻¹: Z_bo = −Z_bb K, Z_oo = L_oo⁻ᵀ L_oo⁻¹ + Kᵀ Z_bb K.
/// @param parent the inverse over the parent's sensors
/// @return Z over the front's sensors
Dense SelectedInverse::invert(std::size_t number, const Dense& parent) const {
  const Front& front = fronts_[number];
  const std::size_t own = front.own.size() * dimension_;
  const std::size_t border = front.border.size() * dimension_;
  const Dense triangle = invert_triangle(factors_[number], own);
  Dense minus_inverse(own, own);
  subtract_transposed_product(minus_inverse, triangle, triangle);
  Dense inverse(own + border, own + border);
  if (border > 0) {
    Dense minus_k(border, own);
    subtract_product(minus_k, below(factors_[number], own), triangle);
    Dense z_bb(border, border);
    const std::vector<std::size_t> places = places_in(fronts_[static_cast<std::size_t>(front.parent)], front);
    for (std::size_t j = 0; j < border; ++j) {
      for (std::size_t i = 0; i < border; ++i) {
        z_bb(i, j) = inverse(own + i, own + j) = parent(places[i], places[j]);
      }
    }
    Dense z_bo(border, own);
    subtract_product(z_bo, z_bb, minus_k);  // Z_bb K so far
    for (double& value : z_bo.values) value = -value;
    subtract_transposed_product(minus_inverse, minus_k, z_bo);
    for (std::size_t j = 0; j < own; ++j) {
      for (std::size_t i = 0; i < border; ++i) {
        inverse(own + i, j) = inverse(j, own + i) = z_bo(i, j);
      }
    }
  }
  for (std::size_t j = 0; j < own; ++j) {
    for (std::size_t i = 0; i < own; ++i) inverse(i, j) = -minus_inverse(i, j);
  }
  return inverse;
}

void SelectedInverse::write_blocks(const Front& front, const Dense& inverse, std::span<double> out) const {
  const std::size_t block = dimension_ * dimension_;
  for (std::size_t own = 0; own < front.own.size(); ++own) {
    const auto sensor = static_cast<std::size_t>(front.own[own]);
    double trace = 0;
    for (std::size_t k = 0; k < dimension_; ++k) {
      trace += inverse(own * dimension_ + k, own * dimension_ + k);
    }
    const bool is_determined = weights_[sensor] > 0 && trace * weights_[sensor] < UNDETERMINED;
    for (std::size_t k = 0; k < dimension_; ++k) {
      for (std::size_t l = 0; l < dimension_; ++l) {
        // Of the two triangles, which rounding tells apart, the same for both entries.
        const double value = inverse(own * dimension_ + std::max(k, l), own * dimension_ + std::min(k, l));
        out[sensor * block + k * dimension_ + l] =
            is_determined ? value : std::numeric_limits<double>::quiet_NaN();
      }
    }
  }
}

}  // namespace lockstep::splitting

#include "splitting/prox/prox.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

namespace lockstep::splitting {
namespace {

double range_between(const Network& network, std::int32_t a, std::int32_t b) {
  const SensorRange wanted{std::min(a, b), std::max(a, b), 0};
  return std::lower_bound(network.sensor_ranges.begin(), network.sensor_ranges.end(), wanted,
                          [](const SensorRange& left, const SensorRange& right) {
                            return std::tie(left.first, left.second) < std::tie(right.first, right.second);
                          })
      ->range;
}

/// Room for a call's residuals without the heap, for all sensors but those that see very many anchors.
class Scratch {
 public:
  explicit Scratch(int rows) : rows_(static_cast<std::size_t>(rows)) {
    if (rows_ > inside_.size()) outside_.resize(rows_);
  }
  std::span<double> values() { return {outside_.empty() ? inside_.data() : outside_.data(), rows_}; }

 private:
  std::size_t rows_;
  std::array<double, 96> inside_;
  std::vector<double> outside_;
};

}  // namespace

DataTerm::DataTerm(const Network& network, std::int32_t sensor) : dimension_(network.dimension) {
  for (const std::int32_t neighbor : network.neighbors_of(sensor)) {
    const double range = range_between(network, sensor, neighbor);
    squares_.push_back(range * range);
  }
  neighbors_ = static_cast<int>(squares_.size());
  const auto begin =
      std::lower_bound(network.anchor_ranges.begin(), network.anchor_ranges.end(), sensor,
                       [](const AnchorRange& range, std::int32_t wanted) { return range.sensor < wanted; });
  for (auto range = begin; range != network.anchor_ranges.end() && range->sensor == sensor; ++range) {
    double square = range->range * range->range;
    for (int c = 0; c < dimension_; ++c) {
      const double coordinate = network.anchor_positions[static_cast<std::size_t>(range->anchor) *
                                                             static_cast<std::size_t>(dimension_) +
                                                         static_cast<std::size_t>(c)];
      positions_.push_back(coordinate);
      square -= coordinate * coordinate;
    }
    squares_.push_back(square);
  }
  anchors_ = static_cast<int>(squares_.size()) - neighbors_;
}

void DataTerm::residuals(std::span<const double> xi, std::span<double> b) const {
  const double* between = xi.data() + 1;
  const double* theirs = between + neighbors_;
  const double* position = theirs + neighbors_;
  for (int j = 0; j < neighbors_; ++j) b[j] = squares_[j] - (xi[0] - 2 * between[j] + theirs[j]);
  for (int k = 0; k < anchors_; ++k) {
    double product = 0;
    for (int c = 0; c < dimension_; ++c) product += positions_[k * dimension_ + c] * position[c];
    b[neighbors_ + k] = squares_[neighbors_ + k] - (xi[0] - 2 * product);
  }
}

double DataTerm::value(std::span<const double> xi) const {
  Scratch scratch(rows());
  residuals(xi, scratch.values());
  double sum = 0;
  for (const double residual : scratch.values()) sum += std::abs(residual);
  return sum;
}

void DataTerm::add_step(std::span<const double> dual, std::span<double> xi) const {
  double* between = xi.data() + 1;
  double* theirs = between + neighbors_;
  double* position = theirs + neighbors_;
  double sum = 0;
  for (const double w : dual) sum += w;
  xi[0] += sum;
  for (int j = 0; j < neighbors_; ++j) {
    between[j] -= dual[j];
    theirs[j] += dual[j];
  }
  for (int c = 0; c < dimension_; ++c) {
    double moved = 0;
    for (int k = 0; k < anchors_; ++k) moved += positions_[k * dimension_ + c] * dual[neighbors_ + k];
    position[c] -= moved;
  }
}

void DataTerm::prox_exactly(std::span<double> xi, double alpha, std::span<double> dual,
                            DualSolver solver) const {
  Scratch scratch(rows());
  residuals(xi, scratch.values());
  solver({.dimension = dimension_,
          .neighbors = neighbors_,
          .anchors = anchors_,
          .positions = positions_.data(),
          .b = scratch.values().data(),
          .alpha = alpha},
         dual.data());
  add_step(dual, xi);
}

}  // namespace lockstep::splitting

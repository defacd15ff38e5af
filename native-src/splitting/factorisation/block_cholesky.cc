#include "splitting/factorisation/block_cholesky.h"

#include <algorithm>
#include <utility>

namespace lockstep::splitting {
namespace {

constexpr double LEAST_PIVOT = 1e-14;  // Of the block's trace: a singular matrix factorises all the same.

}  // namespace

BlockCholesky::BlockCholesky(const RangeGraph& graph, std::span<const double> points)
    : graph_(graph),
      fronts_(dissect(graph, points)),
      offsets_{0},
      local_(static_cast<std::size_t>(graph.sensors()), -1),
      factors_(fronts_.size()) {
  for (std::int32_t sensor = 0; sensor < graph.sensors(); ++sensor) {
    offsets_.push_back(offsets_.back() + graph.ends_of(sensor).size());
  }
}

double BlockCholesky::operations(std::size_t block) const {
  double sum = 0;
  for (const Front& front : fronts_) {
    const auto own = static_cast<double>(front.own.size() * block);
    const auto all = static_cast<double>(sensors_of(front) * block);
    sum += own * (all * all - own * all + own * own / 3);
  }
  return sum;
}

bool BlockCholesky::factor(std::size_t block, std::span<const double> diagonal,
                           std::span<const double> link) {
  bool is_definite = true;
  block_ = block;
  std::vector<std::vector<std::size_t>> children(fronts_.size());
  std::vector<Dense> updates(fronts_.size());
  for (std::size_t number = 0; number < fronts_.size(); ++number) {
    const Front& front = fronts_[number];
    if (front.parent >= 0) children[static_cast<std::size_t>(front.parent)].push_back(number);
    Dense matrix = assemble(front, diagonal, link);
    for (const std::size_t child : children[number]) {
      add_update(fronts_[child], front, updates[child], matrix);
      updates[child] = {};
    }
    const std::size_t own = front.own.size() * block;
    std::vector<double> least(own);
    for (std::size_t j = 0; j < own; ++j) {
      const auto sensor = static_cast<std::size_t>(front.own[j / block]);
      least[j] = std::max(LEAST_PIVOT * diagonal[(sensor * block + j % block) * block + j % block], 1e-300);
    }
    is_definite = splitting::factor(matrix, own, least) && is_definite;
    const std::size_t rest = matrix.rows - own;
    Dense update(rest, rest);
    for (std::size_t j = 0; j < rest; ++j) {
      std::copy_n(&matrix(own + j, own + j), rest - j, &update(j, j));
    }
    updates[number] = std::move(update);
    matrix.values.resize(matrix.rows * own);
    matrix.columns = own;
    factors_[number] = std::move(matrix);
  }
  return is_definite;
}

Dense BlockCholesky::assemble(const Front& front, std::span<const double> diagonal,
                              std::span<const double> link) {
  const std::size_t size = sensors_of(front) * block_;
  const std::size_t area = block_ * block_;
  Dense matrix(size, size);
  for (std::size_t place = 0; place < sensors_of(front); ++place) {
    local_[static_cast<std::size_t>(sensor_at(front, place))] = static_cast<std::int32_t>(place);
  }
  for (std::size_t own = 0; own < front.own.size(); ++own) {
    const std::int32_t sensor = front.own[own];
    const double* mine = &diagonal[static_cast<std::size_t>(sensor) * area];
    for (std::size_t k = 0; k < block_; ++k) {
      for (std::size_t l = 0; l <= k; ++l) matrix(own * block_ + k, own * block_ + l) = mine[k * block_ + l];
    }
    std::size_t number = first_link(sensor);
    for (const RangeEnd& end : graph_.ends_of(sensor)) {
      const double* shared = &link[number++ * area];
      if (!graph_.is_sensor(end.point)) break;
      const std::int32_t other = local_[static_cast<std::size_t>(end.point)];
      if (other <= static_cast<std::int32_t>(own)) continue;  // Eliminated, or its own turn adds it.
      for (std::size_t k = 0; k < block_; ++k) {
        for (std::size_t l = 0; l < block_; ++l) {
          matrix(static_cast<std::size_t>(other) * block_ + k, own * block_ + l) = shared[k * block_ + l];
        }
      }
    }
  }
  for (std::size_t place = 0; place < sensors_of(front); ++place) {
    local_[static_cast<std::size_t>(sensor_at(front, place))] = -1;
  }
  return matrix;
}

/// The child's border is a part of the parent's sensors, in the same order.
void BlockCholesky::add_update(const Front& child, const Front& parent, const Dense& update,
                               Dense& matrix) const {
  std::vector<std::size_t> places;
  std::size_t place = 0;
  for (const std::int32_t sensor : child.border) {
    while (sensor_at(parent, place) != sensor) ++place;
    for (std::size_t k = 0; k < block_; ++k) places.push_back(place * block_ + k);
  }
  for (std::size_t j = 0; j < places.size(); ++j) {
    for (std::size_t i = j; i < places.size(); ++i) matrix(places[i], places[j]) += update(i, j);
  }
}

void BlockCholesky::solve(std::span<double> x) const {
  std::vector<double> local;
  auto gather = [&](const Front& front) {
    local.resize(sensors_of(front) * block_);
    for (std::size_t place = 0; place < sensors_of(front); ++place) {
      std::copy_n(&x[static_cast<std::size_t>(sensor_at(front, place)) * block_], block_,
                  &local[place * block_]);
    }
  };
  auto scatter = [&](const Front& front, std::size_t places) {
    for (std::size_t place = 0; place < places; ++place) {
      std::copy_n(&local[place * block_], block_,
                  &x[static_cast<std::size_t>(sensor_at(front, place)) * block_]);
    }
  };
  for (std::size_t number = 0; number < fronts_.size(); ++number) {
    const Dense& factor = factors_[number];
    gather(fronts_[number]);
    for (std::size_t j = 0; j < factor.columns; ++j) {
      local[j] /= factor(j, j);
      for (std::size_t i = j + 1; i < factor.rows; ++i) local[i] -= factor(i, j) * local[j];
    }
    scatter(fronts_[number], sensors_of(fronts_[number]));
  }
  for (std::size_t number = fronts_.size(); number-- > 0;) {
    const Dense& factor = factors_[number];
    gather(fronts_[number]);
    for (std::size_t j = factor.columns; j-- > 0;) {
      for (std::size_t i = j + 1; i < factor.rows; ++i) local[j] -= factor(i, j) * local[i];
      local[j] /= factor(j, j);
    }
    scatter(fronts_[number], fronts_[number].own.size());
  }
}

}  // namespace lockstep::splitting

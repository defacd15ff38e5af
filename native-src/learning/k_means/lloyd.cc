#include "learning/k_means/lloyd.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "learning/k_means/distance_kernels.h"
#include "learning/random.h"

namespace lockstep::learning {
namespace {

const DistanceKernels& kernels() { return variant_in_use(variants_of_distance_kernels); }

/// Bounds cost a pass over all rows in each iteration, which few centres do not repay; one bound a row
/// suffices until there are several panels.
Acceleration resolve(Acceleration asked, std::size_t centres) {
  if (asked != Acceleration::AUTO) return asked;
  if (centres <= 8) return Acceleration::NONE;
  return centres <= 4 * PANEL ? Acceleration::HAMERLY : Acceleration::YINYANG;
}

}  // namespace

Lloyd::Lloyd(const Group& group, const Points& points, std::span<const double> centres,
             Acceleration acceleration)
    : group_(group),
      points_(points),
      count_(centres.size() / points.dimension()),
      dimension_(points.dimension()),
      has_bounds_(resolve(acceleration, count_) != Acceleration::NONE),
      search_(dimension_, resolve(acceleration, count_) == Acceleration::YINYANG ? 1 : 0),
      centres_(centres.begin(), centres.end()),
      labels_(points.rows(), NearestCentre::NONE),
      distances_(points.rows(), std::numeric_limits<double>::infinity()),
      sums_(count_ * dimension_, 0),
      weights_(count_, 0),
      seen_(count_, 0) {
  search_.set(centres_);
  if (has_bounds_) lower_.assign(points.rows() * search_.groups(), 0);
}

void Lloyd::refresh_distances() {
  for (std::size_t i = 0; i < points_.rows(); ++i) {
    if (labels_[i] == NearestCentre::NONE) continue;
    distances_[i] = search_.squared_distance(points_.row(i), static_cast<std::size_t>(labels_[i]));
  }
}

/// @return the cost over all ranks, not yet summed: see the callers
double Lloyd::search() {
  refresh_distances();
  search_.search(points_, 0, points_.rows(), distances_, labels_, has_bounds_ ? lower_.data() : nullptr);
  CostSum cost(4 * static_cast<double>(dimension_), points_.all_rows());
  for (std::size_t i = 0; i < points_.rows(); ++i) cost.add(points_.weight(i) * distances_[i]);
  group_.sum(cost.parts);
  return cost.value();
}

double Lloyd::label() { return search(); }

LloydStep Lloyd::step() {
  const std::vector<std::int32_t> before = labels_;
  LloydStep result;
  result.cost = search();

  // Integers: what left a cluster is subtracted exactly, so only rows that moved are touched.
  std::vector<std::int64_t> changes(count_ * dimension_ + count_ + 1, 0);
  std::int64_t* weights = changes.data() + count_ * dimension_;
  for (std::size_t i = 0; i < points_.rows(); ++i) {
    if (labels_[i] == before[i]) continue;
    ++changes.back();
    const std::int64_t weight = points_.fixed_weight(i);
    const auto to = static_cast<std::size_t>(labels_[i]);
    kernels().add_row(changes.data() + to * dimension_, points_.row(i), points_.weight(i),
                      points_.scales().data(), dimension_);
    weights[to] += weight;
    if (before[i] == NearestCentre::NONE) continue;
    const auto from = static_cast<std::size_t>(before[i]);
    kernels().subtract_row(changes.data() + from * dimension_, points_.row(i), points_.weight(i),
                           points_.scales().data(), dimension_);
    weights[from] -= weight;
  }
  group_.sum(changes);
  for (std::size_t i = 0; i < sums_.size(); ++i) sums_[i] += changes[i];
  for (std::size_t j = 0; j < count_; ++j) weights_[j] += weights[j];
  result.changed = changes.back();
  result.repaired = repair_empty();

  std::vector<double> moved = centres_;
  for (std::size_t j = 0; j < count_; ++j) {
    if (weights_[j] == 0) continue;
    const double weight = static_cast<double>(weights_[j]) / points_.weight_scale();
    for (std::size_t i = 0; i < dimension_; ++i) {
      moved[j * dimension_ + i] =
          static_cast<double>(sums_[j * dimension_ + i]) / points_.scales()[i] / weight;
    }
  }
  result.shift = move_centres(moved);
  return result;
}

namespace {

/// A row by its distance from its centre: weight × squared distance.
struct Far {
  double distance;
  std::uint64_t id;
  std::size_t row;
};

/// The first `wanted` of `rows` from the farthest on (of equals the smallest identity first), no two of them
/// at the same place.
template <typename RowOf>
std::vector<Far> farthest(std::vector<Far> rows, std::size_t wanted, std::size_t dimension, RowOf row_of) {
  std::ranges::sort(rows, [](const Far& a, const Far& b) {
    return a.distance != b.distance ? a.distance > b.distance : a.id < b.id;
  });
  std::vector<Far> taken;
  for (const Far& one : rows) {
    if (taken.size() == wanted) break;
    const float* values = row_of(one.row);
    const bool is_taken = std::ranges::any_of(
        taken, [&](const Far& other) { return std::equal(values, values + dimension, row_of(other.row)); });
    if (!is_taken) taken.push_back(one);
  }
  return taken;
}

}  // namespace

std::int64_t Lloyd::repair_empty() {
  std::vector<std::size_t> empty;
  for (std::size_t j = 0; j < count_; ++j) {
    if (weights_[j] == 0) empty.push_back(j);
  }
  if (empty.empty()) return 0;
  std::vector<Far> own;
  for (std::size_t i = 0; i < points_.rows(); ++i) {
    const double distance = points_.weight(i) * distances_[i];
    if (distance > 0) own.push_back({distance, points_.id(i), i});
  }
  own = farthest(std::move(own), empty.size(), dimension_, [&](std::size_t i) { return points_.row(i); });
  std::vector<float> rows;
  std::vector<std::int64_t> ranks(own.size(), group_.rank());
  for (const Far& one : own) rows.insert(rows.end(), points_.row(one.row), points_.row(one.row) + dimension_);
  rows = group_.gather(rows);
  ranks = group_.gather(ranks);
  const std::vector<Far> offered = group_.gather(own);
  std::vector<Far> all = offered;
  for (std::size_t i = 0; i < all.size(); ++i) all[i].row = i;
  all = farthest(std::move(all), empty.size(), dimension_,
                 [&](std::size_t i) { return rows.data() + i * dimension_; });

  std::vector<std::int64_t> changes(count_ * dimension_ + count_, 0);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (ranks[all[i].row] == group_.rank()) move_row(offered[all[i].row].row, empty[i], changes);
  }
  group_.sum(changes);
  for (std::size_t i = 0; i < sums_.size(); ++i) sums_[i] += changes[i];
  for (std::size_t j = 0; j < count_; ++j) weights_[j] += changes[count_ * dimension_ + j];
  return static_cast<std::int64_t>(all.size());
}

/// Takes a row of this rank from its cluster to another; `changes` holds sums, then weights.
void Lloyd::move_row(std::size_t row, std::size_t to, std::span<std::int64_t> changes) {
  const auto from = static_cast<std::size_t>(labels_[row]);
  std::int64_t* weights = changes.data() + count_ * dimension_;
  kernels().subtract_row(changes.data() + from * dimension_, points_.row(row), points_.weight(row),
                         points_.scales().data(), dimension_);
  kernels().add_row(changes.data() + to * dimension_, points_.row(row), points_.weight(row),
                    points_.scales().data(), dimension_);
  weights[from] -= points_.fixed_weight(row);
  weights[to] += points_.fixed_weight(row);
  labels_[row] = static_cast<std::int32_t>(to);
  if (!has_bounds_) return;
  const auto bounds = lower_.begin() + static_cast<std::ptrdiff_t>(row * search_.groups());
  std::fill_n(bounds, search_.groups(), 0.0f);
}

double Lloyd::move_centres(std::span<const double> moved) {
  const std::size_t groups = search_.groups(), each = (count_ + PANEL - 1) / PANEL * PANEL;
  const std::size_t group_centres = groups == 1 ? each : PANEL;
  std::vector<float> drift(groups, 0);
  double total = 0;
  for (std::size_t j = 0; j < count_; ++j) {
    double squared = 0;
    for (std::size_t i = 0; i < dimension_; ++i) {
      const double difference = moved[j * dimension_ + i] - centres_[j * dimension_ + i];
      squared += difference * difference;
    }
    total += squared;
    float& largest = drift[j / group_centres];
    largest = std::max(largest, static_cast<float>(std::sqrt(squared) * (1 + 1e-6)));
  }
  centres_.assign(moved.begin(), moved.end());
  search_.set(centres_);
  for (std::size_t i = 0; i < lower_.size(); ++i) {
    const float left = lower_[i] - drift[i % groups];
    lower_[i] = left > 0 ? left * 0.999999f : 0;
  }
  return total;
}

LloydStep Lloyd::batch_step(std::uint64_t seed, std::int64_t iteration, double share) {
  const Draws draws(seed, Purpose::BATCH, static_cast<std::uint64_t>(iteration));
  std::vector<std::int64_t> sums(count_ * dimension_ + count_, 0);
  CostSum cost(4 * static_cast<double>(dimension_), points_.all_rows());
  for (std::size_t i = 0; i < points_.rows(); ++i) {
    if (draws.uniform(points_.id(i)) >= share) continue;
    labels_[i] = NearestCentre::NONE;
    distances_[i] = std::numeric_limits<double>::infinity();
    search_.search(points_, i, i + 1, distances_, labels_, nullptr);
    cost.add(points_.weight(i) * distances_[i]);
    const auto to = static_cast<std::size_t>(labels_[i]);
    kernels().add_row(sums.data() + to * dimension_, points_.row(i), points_.weight(i),
                      points_.scales().data(), dimension_);
    sums[count_ * dimension_ + to] += points_.fixed_weight(i);
  }
  group_.sum(cost.parts);
  group_.sum(sums);
  std::vector<double> moved = centres_;
  for (std::size_t j = 0; j < count_; ++j) {
    const std::int64_t fixed = sums[count_ * dimension_ + j];
    if (fixed == 0) continue;
    // The weights of many batches may pass 63 bits; a centre that has seen so much hardly moves any more.
    seen_[j] = seen_[j] > std::numeric_limits<std::int64_t>::max() - fixed
                   ? std::numeric_limits<std::int64_t>::max()
                   : seen_[j] + fixed;
    const double weight = static_cast<double>(fixed) / points_.weight_scale();
    const double rate = static_cast<double>(fixed) / static_cast<double>(seen_[j]);
    for (std::size_t i = 0; i < dimension_; ++i) {
      const double mean = static_cast<double>(sums[j * dimension_ + i]) / points_.scales()[i] / weight;
      double& coordinate = moved[j * dimension_ + i];
      coordinate += rate * (mean - coordinate);
    }
  }
  LloydStep result;
  result.cost = cost.value();
  result.shift = move_centres(moved);
  return result;
}

}  // namespace lockstep::learning

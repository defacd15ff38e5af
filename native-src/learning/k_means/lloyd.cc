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

std::int64_t Lloyd::repair_empty() {
  std::vector<std::size_t> empty;
  for (std::size_t j = 0; j < count_; ++j) {
    if (weights_[j] == 0) empty.push_back(j);
  }
  if (empty.empty()) return 0;
  // The farthest rows of all ranks, at different places each.
  auto is_farther = [](const Far& a, const Far& b) {
    return a.distance != b.distance ? a.distance > b.distance : a.id < b.id;
  };
  std::vector<Far> far;
  for (std::size_t i = 0; i < points_.rows(); ++i) {
    const double distance = points_.weight(i) * distances_[i];
    if (distance > 0) far.push_back({distance, points_.id(i), i});
  }
  std::ranges::sort(far, is_farther);
  auto differs = [&](const float* row, const std::vector<float>& rows) {
    for (std::size_t at = 0; at < rows.size(); at += dimension_) {
      if (std::equal(row, row + dimension_, rows.data() + at)) return false;
    }
    return true;
  };
  std::vector<double> keys;
  std::vector<std::uint64_t> ids;
  std::vector<std::int64_t> owners;
  std::vector<float> rows;
  for (const Far& one : far) {
    if (ids.size() == empty.size()) break;
    const float* row = points_.row(one.row);
    if (!differs(row, rows)) continue;
    keys.push_back(one.distance);
    ids.push_back(one.id);
    owners.push_back(static_cast<std::int64_t>(one.row) * group_.size() + group_.rank());
    rows.insert(rows.end(), row, row + dimension_);
  }
  keys = group_.gather(keys);
  ids = group_.gather(ids);
  owners = group_.gather(owners);
  rows = group_.gather(rows);
  std::vector<Far> all;
  for (std::size_t i = 0; i < keys.size(); ++i) all.push_back({keys[i], ids[i], i});
  std::ranges::sort(all, is_farther);

  std::vector<std::int64_t> changes(count_ * dimension_ + count_, 0);
  std::vector<float> taken;
  std::size_t filled = 0;
  for (const Far& one : all) {
    if (filled == empty.size()) break;
    const float* row = rows.data() + one.row * dimension_;
    if (!differs(row, taken)) continue;
    taken.insert(taken.end(), row, row + dimension_);
    const std::size_t to = empty[filled++];
    if (owners[one.row] % group_.size() != group_.rank()) continue;
    const auto i = static_cast<std::size_t>(owners[one.row] / group_.size());
    const auto from = static_cast<std::size_t>(labels_[i]);
    const std::int64_t weight = points_.fixed_weight(i);
    kernels().subtract_row(changes.data() + from * dimension_, row, points_.weight(i),
                           points_.scales().data(), dimension_);
    kernels().add_row(changes.data() + to * dimension_, row, points_.weight(i), points_.scales().data(),
                      dimension_);
    changes[count_ * dimension_ + from] -= weight;
    changes[count_ * dimension_ + to] += weight;
    labels_[i] = static_cast<std::int32_t>(to);
    if (has_bounds_)
      std::fill_n(lower_.begin() + static_cast<std::ptrdiff_t>(i * search_.groups()), search_.groups(), 0.0f);
  }
  group_.sum(changes);
  for (std::size_t i = 0; i < sums_.size(); ++i) sums_[i] += changes[i];
  for (std::size_t j = 0; j < count_; ++j) weights_[j] += changes[count_ * dimension_ + j];
  return static_cast<std::int64_t>(filled);
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

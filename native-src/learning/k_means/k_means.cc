#include "learning/k_means/k_means.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "learning/k_means/distance_kernels.h"
#include "learning/random.h"
#include "lockstep/error.h"

namespace lockstep::learning {

KMeans::KMeans(std::shared_ptr<Communicator> communicator, std::span<const double> values,
               std::size_t dimension, std::span<const double> weights)
    : communicator_(std::move(communicator)),
      group_(communicator_.get()),
      points_(group_, values, dimension, weights) {}

Lloyd& KMeans::started() {
  if (lloyd_ == nullptr)
    throw Error(ErrorCode::INVALID_ARGUMENT, "The k-means run has no centres yet; seed or start it first.");
  return *lloyd_;
}

LloydStep KMeans::outside(LloydStep step) const {
  step.cost *= points_.squared_unit() * points_.weight_unit();
  step.shift *= points_.squared_unit();
  return step;
}

void KMeans::seed(const SeedingOptions& options, Acceleration acceleration) {
  std::lock_guard lock(mutex_);
  lloyd_ = std::make_unique<Lloyd>(group_, points_, seed_centres(group_, points_, options), acceleration);
}

void KMeans::start(std::span<const double> centres, bool scaled, std::span<const std::int64_t> seen,
                   Acceleration acceleration) {
  std::lock_guard lock(mutex_);
  std::vector<double> inside(centres.begin(), centres.end());
  if (!scaled) {
    for (std::size_t at = 0; at < inside.size(); at += dimension())
      points_.to_inside(&centres[at], &inside[at]);
  }
  lloyd_ = std::make_unique<Lloyd>(group_, points_, inside, acceleration);
  if (!seen.empty()) lloyd_->seen().assign(seen.begin(), seen.end());
}

LloydStep KMeans::step() {
  std::lock_guard lock(mutex_);
  return outside(started().step());
}

LloydStep KMeans::batch_step(std::uint64_t seed, std::int64_t iteration, double share) {
  std::lock_guard lock(mutex_);
  return outside(started().batch_step(seed, iteration, share));
}

double KMeans::label() {
  std::lock_guard lock(mutex_);
  LloydStep step;
  step.cost = started().label();
  return outside(step).cost;
}

std::size_t KMeans::count() {
  std::lock_guard lock(mutex_);
  return started().centres().size() / dimension();
}

void KMeans::read_centres(std::span<double> out, bool scaled) {
  std::lock_guard lock(mutex_);
  const std::span<const double> centres = started().centres();
  std::ranges::copy(centres, out.begin());
  if (scaled) return;
  for (std::size_t at = 0; at < centres.size(); at += dimension()) points_.to_outside(&centres[at], &out[at]);
}

void KMeans::read_seen(std::span<std::int64_t> out) {
  std::lock_guard lock(mutex_);
  std::ranges::copy(started().seen(), out.begin());
}

void KMeans::read_labels(std::span<std::int32_t> out) {
  std::lock_guard lock(mutex_);
  std::ranges::copy(started().labels(), out.begin());
}

double KMeans::silhouette(std::int64_t sample, std::uint64_t seed) {
  std::lock_guard lock(mutex_);
  const Lloyd& run = started();
  const std::size_t d = dimension();
  // The rows with the smallest draws: each rank offers that many of its own.
  const Draws draws(seed, Purpose::SILHOUETTE, 0);
  struct Drawn {
    std::uint64_t key;
    std::int64_t label;
    std::size_t row;
  };
  std::vector<Drawn> own;
  for (std::size_t i = 0; i < points_.rows(); ++i)
    own.push_back({draws.bits(points_.id(i)), run.labels()[i], i});
  auto by_key = [](const Drawn& a, const Drawn& b) { return a.key < b.key; };
  const std::size_t kept = std::min(own.size(), static_cast<std::size_t>(sample));
  std::partial_sort(own.begin(), own.begin() + static_cast<std::ptrdiff_t>(kept), own.end(), by_key);
  own.resize(kept);
  std::vector<float> values;
  for (const Drawn& one : own) values.insert(values.end(), points_.row(one.row), points_.row(one.row) + d);
  const std::vector<float> rows = group_.gather(values);
  std::vector<Drawn> all = group_.gather(own);
  for (std::size_t i = 0; i < all.size(); ++i) all[i].row = i;
  std::ranges::sort(all, by_key);
  all.resize(std::min(all.size(), static_cast<std::size_t>(sample)));

  const std::size_t clusters = run.centres().size() / d;
  const auto squared_distance = variant_in_use(variants_of_distance_kernels).squared_distance;
  std::vector<double> sums(clusters), sizes(clusters, 0), centre(d);
  for (const Drawn& one : all) sizes[static_cast<std::size_t>(one.label)] += 1;
  if (std::ranges::count_if(sizes, [](double size) { return size > 0; }) < 2)
    return std::numeric_limits<double>::quiet_NaN();
  double total = 0;
  for (const Drawn& one : all) {
    std::ranges::fill(sums, 0);
    std::copy_n(rows.begin() + static_cast<std::ptrdiff_t>(one.row * d), d, centre.begin());
    for (const Drawn& other : all) {
      sums[static_cast<std::size_t>(other.label)] +=
          std::sqrt(squared_distance(rows.data() + other.row * d, centre.data(), d));
    }
    const auto own_label = static_cast<std::size_t>(one.label);
    if (sizes[own_label] < 2) continue;  // by definition 0
    const double inside = sums[own_label] / (sizes[own_label] - 1);
    double outside = std::numeric_limits<double>::infinity();
    for (std::size_t j = 0; j < clusters; ++j) {
      if (j != own_label && sizes[j] > 0) outside = std::min(outside, sums[j] / sizes[j]);
    }
    const double larger = std::max(inside, outside);
    if (larger > 0) total += (outside - inside) / larger;
  }
  return total / static_cast<double>(all.size());
}

Registry<KMeans>& k_means_runs() {
  static auto* all = new Registry<KMeans>("k-means run");
  return *all;
}

}  // namespace lockstep::learning

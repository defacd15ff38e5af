#include "learning/k_means/seeding.h"

#include <algorithm>
#include <limits>
#include <span>

#include "learning/k_means/lloyd.h"
#include "learning/k_means/nearest.h"
#include "learning/random.h"

namespace lockstep::learning {
namespace {

constexpr double FAR = std::numeric_limits<double>::infinity();
constexpr std::int64_t CANDIDATE_ITERATIONS = 100;

/// A row that was drawn, with the key that drew it: smaller comes first.
struct Drawn {
  double key;
  std::uint64_t id;
};

bool operator<(const Drawn& a, const Drawn& b) { return a.key != b.key ? a.key < b.key : a.id < b.id; }

/// Rows of all ranks, in the order of (key, identity).
struct Rows {
  std::vector<float> values;
  std::vector<std::uint64_t> ids;

  std::vector<double> centres() const { return {values.begin(), values.end()}; }
  void append(const Rows& others) {
    values.insert(values.end(), others.values.begin(), others.values.end());
    ids.insert(ids.end(), others.ids.begin(), others.ids.end());
  }
};

/// Joins what every rank drew and keeps the first `limit` of it. Collective.
Rows gather_rows(const Group& group, const Points& points, const std::vector<std::size_t>& chosen,
                 const std::vector<Drawn>& drawn, std::size_t limit) {
  const std::size_t d = points.dimension();
  std::vector<float> values;
  for (const std::size_t i : chosen) values.insert(values.end(), points.row(i), points.row(i) + d);
  const std::vector<float> all = group.gather(values);
  const std::vector<Drawn> keys = group.gather(drawn);
  std::vector<std::size_t> order(keys.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) { return keys[a] < keys[b]; });
  if (order.size() > limit) order.resize(limit);
  Rows rows;
  for (const std::size_t i : order) {
    rows.values.insert(rows.values.end(), all.begin() + static_cast<std::ptrdiff_t>(i * d),
                       all.begin() + static_cast<std::ptrdiff_t>((i + 1) * d));
    rows.ids.push_back(keys[i].id);
  }
  return rows;
}

/// `count` rows without replacement, each next one with a probability in proportion to its importance.
template <typename Importance>
Rows draw(const Group& group, const Points& points, const Draws& draws, std::size_t count,
          const Importance& importance) {
  std::vector<std::pair<Drawn, std::size_t>> best;
  for (std::size_t i = 0; i < points.rows(); ++i) {
    const double weight = importance(i);
    if (!(weight > 0)) continue;
    const Drawn drawn{draws.exponential(points.id(i)) / weight, points.id(i)};
    if (best.size() == count && !(drawn < best.front().first)) continue;
    best.emplace_back(drawn, i);
    std::ranges::push_heap(best, {}, [](const auto& one) { return std::pair(one.first.key, one.first.id); });
    if (best.size() > count) {
      std::ranges::pop_heap(best, {}, [](const auto& one) { return std::pair(one.first.key, one.first.id); });
      best.pop_back();
    }
  }
  std::vector<std::size_t> chosen;
  std::vector<Drawn> drawn;
  for (const auto& [key, row] : best) {
    drawn.push_back(key);
    chosen.push_back(row);
  }
  return gather_rows(group, points, chosen, drawn, count);
}

/// Squared distances of this rank's rows to the nearest of the centres so far.
class Distances {
 public:
  explicit Distances(const Points& points)
      : points_(points),
        search_(points.dimension(), 0),
        distances_(points.rows(), FAR),
        labels_(points.rows()) {}

  void add(std::span<const double> centres) {
    if (centres.empty()) return;
    search_.set(centres);
    std::ranges::fill(labels_, NearestCentre::NONE);
    search_.search(points_, 0, points_.rows(), distances_, labels_, nullptr);
  }

  double operator[](std::size_t i) const { return distances_[i]; }

  double cost(const Group& group) const {
    CostSum cost(4 * static_cast<double>(points_.dimension()), points_.all_rows());
    for (std::size_t i = 0; i < points_.rows(); ++i) cost.add(points_.weight(i) * distances_[i]);
    group.sum(cost.parts);
    return cost.value();
  }

 private:
  const Points& points_;
  NearestCentre search_;
  std::vector<double> distances_;
  std::vector<std::int32_t> labels_;
};

/// Fills up to `count` with rows that repeat the first, where nothing else is left.
std::vector<double> filled(std::vector<double> centres, std::size_t count, std::size_t dimension) {
  const std::size_t wanted = count * dimension;
  for (std::size_t i = 0; centres.size() < wanted; ++i) centres.push_back(centres[i]);
  return centres;
}

std::vector<double> plus_plus(const Group& group, const Points& points, std::size_t count,
                              std::uint64_t seed) {
  Distances distances(points);
  std::vector<double> centres = draw(group, points, Draws(seed, Purpose::SEED, 0), 1, [&](std::size_t i) {
                                  return points.weight(i);
                                }).centres();
  distances.add(centres);
  for (std::size_t j = 1; j < count; ++j) {
    const std::vector<double> next =
        draw(group, points, Draws(seed, Purpose::SEED, j), 1, [&](std::size_t i) {
          return points.weight(i) * distances[i];
        }).centres();
    if (next.empty()) break;  // every row is a centre
    centres.insert(centres.end(), next.begin(), next.end());
    distances.add(next);
  }
  return filled(std::move(centres), count, points.dimension());
}

std::vector<double> random_rows(const Group& group, const Points& points, std::size_t count,
                                std::uint64_t seed) {
  return filled(draw(group, points, Draws(seed, Purpose::SEED, 0), count,
                     [&](std::size_t i) { return points.weight(i); })
                    .centres(),
                count, points.dimension());
}

/// Each row independently with the probability min(1, l × weight × distance ÷ cost).
Rows sample(const Group& group, const Points& points, const Draws& draws, const Distances& distances,
            double l, double cost) {
  std::vector<std::size_t> chosen;
  std::vector<Drawn> drawn;
  for (std::size_t i = 0; i < points.rows(); ++i) {
    const double probability = l * points.weight(i) * distances[i] / cost;
    if (!(draws.uniform(points.id(i)) < probability)) continue;
    chosen.push_back(i);
    drawn.push_back({0, points.id(i)});
  }
  return gather_rows(group, points, chosen, drawn, std::numeric_limits<std::size_t>::max());
}

/// The weight of all rows that are nearest to each candidate, relative to the largest.
std::vector<double> weights_of(const Group& group, const Points& points, std::span<const double> candidates) {
  NearestCentre search(points.dimension(), 0);
  search.set(candidates);
  std::vector<double> distances(points.rows(), FAR);
  std::vector<std::int32_t> labels(points.rows(), NearestCentre::NONE);
  search.search(points, 0, points.rows(), distances, labels, nullptr);
  std::vector<std::int64_t> sums(search.count(), 0);
  for (std::size_t i = 0; i < points.rows(); ++i) {
    sums[static_cast<std::size_t>(labels[i])] += points.fixed_weight(i);
  }
  group.sum(sums);
  const auto largest = static_cast<double>(std::ranges::max(sums));
  std::vector<double> weights;
  for (const std::int64_t sum : sums) weights.push_back(static_cast<double>(sum) / largest);
  return weights;
}

std::vector<double> scalable(const Group& group, const Points& points, const SeedingOptions& options) {
  const auto count = static_cast<std::size_t>(options.count);
  Distances distances(points);
  Rows candidates = draw(group, points, Draws(options.seed, Purpose::SEED, 0), 1,
                         [&](std::size_t i) { return points.weight(i); });
  distances.add(candidates.centres());
  const double l = options.oversampling * static_cast<double>(count);
  // More rounds only where those asked for brought fewer candidates than centres.
  for (std::int64_t round = 1;
       round <= options.rounds || (candidates.ids.size() < count && round <= 4 * options.rounds); ++round) {
    const double cost = distances.cost(group);
    if (cost == 0) break;
    const Rows sampled =
        sample(group, points, Draws(options.seed, Purpose::SAMPLE, static_cast<std::uint64_t>(round)),
               distances, l, cost);
    candidates.append(sampled);
    distances.add(sampled.centres());
  }
  std::vector<double> weights = weights_of(group, points, candidates.centres());
  // What no row is nearest to (an equal candidate came first) counts for nothing and is left out by its
  // weight of 0.
  const Points few(candidates.values, points.dimension(), std::move(weights), candidates.ids);
  const Group alone;
  const std::vector<double> seeds = plus_plus(alone, few, count, options.seed);
  Lloyd lloyd(alone, few, seeds, Acceleration::AUTO);
  for (std::int64_t i = 0; i < CANDIDATE_ITERATIONS && lloyd.step().shift > 0; ++i) {
  }
  return {lloyd.centres().begin(), lloyd.centres().end()};
}

}  // namespace

std::vector<double> seed_centres(const Group& group, const Points& points, const SeedingOptions& options) {
  const auto count = static_cast<std::size_t>(options.count);
  switch (options.seeding) {
    case Seeding::PLUS_PLUS:
      return plus_plus(group, points, count, options.seed);
    case Seeding::RANDOM:
      return random_rows(group, points, count, options.seed);
    case Seeding::SCALABLE:
      break;
  }
  return scalable(group, points, options);
}

}  // namespace lockstep::learning

#include "learning/trees/importance.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "learning/random.h"

namespace lockstep::learning {
namespace {

/// The sampled rows, on every rank and in an order that their identities give.
struct Sample {
  std::vector<std::uint64_t> ids;
  std::vector<double> targets, weights;
  std::vector<std::uint8_t> bins;  ///< rows × features
};

struct Drawn {
  std::uint64_t key, id;
  double target, weight;
  std::size_t place;  ///< among the gathered rows
};

Sample draw(const Group& group, const TreeData& data, std::int64_t count, std::uint64_t seed) {
  const bool held_out = data.fitted_rows < data.all_rows;
  const Draws draws(seed, Purpose::PERMUTATION, 0);
  std::vector<Drawn> own;
  for (std::size_t i = 0; i < data.rows(); ++i) {
    if (held_out && !data.held_out[i]) continue;
    own.push_back({draws.bits(data.ids[i]), data.ids[i], data.targets[i], data.weight(i), i});
  }
  auto is_before = [](const Drawn& a, const Drawn& b) {
    return a.key != b.key ? a.key < b.key : a.id < b.id;
  };
  std::ranges::sort(own, is_before);
  if (own.size() > static_cast<std::size_t>(count)) own.resize(static_cast<std::size_t>(count));
  std::vector<std::uint8_t> bins;
  for (const Drawn& one : own)
    bins.insert(bins.end(), data.row(one.place), data.row(one.place) + data.features());
  std::vector<Drawn> all = group.gather(own);
  bins = group.gather(bins);
  for (std::size_t i = 0; i < all.size(); ++i) all[i].place = i;
  std::ranges::sort(all, is_before);
  if (all.size() > static_cast<std::size_t>(count)) all.resize(static_cast<std::size_t>(count));
  Sample sample;
  for (const Drawn& one : all) {
    sample.ids.push_back(one.id);
    sample.targets.push_back(one.target);
    sample.weights.push_back(one.weight);
    const auto row = bins.begin() + static_cast<std::ptrdiff_t>(one.place * data.features());
    sample.bins.insert(sample.bins.end(), row, row + static_cast<std::ptrdiff_t>(data.features()));
  }
  return sample;
}

double score(const Sample& sample, const Ensemble& ensemble, std::size_t trees) {
  const std::size_t rows = sample.ids.size();
  if (rows == 0) return std::numeric_limits<double>::quiet_NaN();
  const std::size_t features = sample.bins.size() / rows;
  std::vector<double> scores(static_cast<std::size_t>(ensemble.outputs()));
  double weight = 0, mean = 0, right = 0, left_over = 0, spread = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    weight += sample.weights[i];
    mean += sample.weights[i] * sample.targets[i];
  }
  mean /= weight;
  for (std::size_t i = 0; i < rows; ++i) {
    ensemble.predict(sample.bins.data() + i * features, trees, scores);
    const double decided = ensemble.decide(scores), y = sample.targets[i];
    if (decided == y) right += sample.weights[i];
    left_over += sample.weights[i] * (y - decided) * (y - decided);
    spread += sample.weights[i] * (y - mean) * (y - mean);
  }
  if (ensemble.objective() != Objective::REGRESSION) return right / weight;
  return spread > 0 ? 1 - left_over / spread : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

std::vector<double> permutation_importance(const Group& group, const TreeData& data, const Ensemble& ensemble,
                                           std::size_t trees, std::int64_t sample, std::uint64_t seed) {
  const Sample rows = draw(group, data, sample, seed);
  const double before = score(rows, ensemble, trees);
  std::vector<char> is_used(data.features(), 0);
  for (std::size_t t = 0; t < trees; ++t) {
    for (const Tree::Node& node : ensemble.trees()[t].nodes)
      is_used[static_cast<std::size_t>(node.feature)] = 1;
  }
  struct Fall {
    std::uint64_t feature;
    double value;
  };
  std::vector<Fall> own;
  std::size_t turn = 0;
  for (std::size_t f = 0; f < data.features(); ++f) {
    if (!is_used[f] ||
        turn++ % static_cast<std::size_t>(group.size()) != static_cast<std::size_t>(group.rank()))
      continue;
    const Draws draws(seed, Purpose::PERMUTATION, f + 1);
    std::vector<std::size_t> order(rows.ids.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::sort(order, {}, [&](std::size_t i) { return std::pair(draws.bits(rows.ids[i]), i); });
    Sample permuted = rows;
    for (std::size_t i = 0; i < order.size(); ++i)
      permuted.bins[i * data.features() + f] = rows.bins[order[i] * data.features() + f];
    own.push_back({f, before - score(permuted, ensemble, trees)});
  }
  std::vector<double> falls(data.features(), before - before);
  for (const Fall& fall : group.gather(own)) falls[fall.feature] = fall.value;
  return falls;
}

}  // namespace lockstep::learning

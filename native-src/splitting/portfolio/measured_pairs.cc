#include "splitting/portfolio/measured_pairs.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <vector>

namespace lockstep::splitting {
namespace {

struct Pair {
  double distance;
  bool is_measured;
};

/// Pairs next to each other in distance, that are equally likely to be measured.
struct Pool {
  double measured;
  double pairs;

  double share() const { return measured / pairs; }
};

/// The pairs up to the farthest that was measured: those beyond are sure not to be.
template <int D>
std::vector<Pair> pairs_by_distance(const RangeGraph& graph, std::span<const double> points) {
  const auto place = [&](std::int32_t point) { return &points[static_cast<std::size_t>(point) * D]; };
  const auto all = static_cast<std::int32_t>(points.size() / D);
  double farthest = 0;
  for (std::int32_t sensor = 0; sensor < graph.sensors(); ++sensor) {
    for (const RangeEnd& end : graph.ends_of(sensor)) {
      farthest = std::max(farthest, distance_between<D>(place(sensor), place(end.point)));
    }
  }
  std::vector<Pair> pairs;
  std::vector<char> is_measured(static_cast<std::size_t>(all), 0);
  for (std::int32_t sensor = 0; sensor < graph.sensors(); ++sensor) {
    for (const RangeEnd& end : graph.ends_of(sensor)) is_measured[static_cast<std::size_t>(end.point)] = 1;
    for (std::int32_t other = sensor + 1; other < all; ++other) {
      const double distance = distance_between<D>(place(sensor), place(other));
      if (distance <= farthest)
        pairs.push_back({distance, is_measured[static_cast<std::size_t>(other)] != 0});
    }
    for (const RangeEnd& end : graph.ends_of(sensor)) is_measured[static_cast<std::size_t>(end.point)] = 0;
  }
  std::sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) {
    return std::tie(a.distance, b.is_measured) < std::tie(b.distance, a.is_measured);
  });
  return pairs;
}

}  // namespace

double surprise_of_pairs(const RangeGraph& graph, std::span<const double> points) {
  std::vector<Pool> pools;
  for (const Pair& pair :
       graph.dimension() == 2 ? pairs_by_distance<2>(graph, points) : pairs_by_distance<3>(graph, points)) {
    pools.push_back({pair.is_measured ? 1.0 : 0.0, 1});
    while (pools.size() > 1 && pools[pools.size() - 2].share() <= pools.back().share()) {
      const Pool farther = pools.back();
      pools.pop_back();
      pools.back().measured += farther.measured;
      pools.back().pairs += farther.pairs;
    }
  }
  double surprise = 0;
  for (const Pool& pool : pools) {
    const double share = pool.share();
    if (share <= 0 || share >= 1) continue;
    surprise -= pool.measured * std::log(share) + (pool.pairs - pool.measured) * std::log(1 - share);
  }
  return surprise;
}

}  // namespace lockstep::splitting

#include "splitting/portfolio/part_search.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "splitting/mirrors/flips.h"
#include "splitting/portfolio/parts.h"
#include "splitting/portfolio/shortest_paths.h"
#include "splitting/refinement/levenberg_marquardt.h"

namespace lockstep::splitting {
namespace {

using Start = Recipe::Start;

constexpr std::size_t SIZES_OF_PARTS[] = {60, 120, 240, 240};
constexpr std::size_t SENSORS_FOR_A_PART =
    100;                            // Of the network: so many parts of it are looked at in a round.
constexpr double LEAST_GAIN = 0.5;  // In the cost; less tells no two folds apart.
constexpr Ending ROUGHLY{.max_steps = 100, .tolerance = 1e-4};

const Recipe RECIPES_OF_A_PART[] = {{Start::HERE, 1, 1}, {Start::HERE, 2, 2}, {Start::SHORTEST_PATHS, 1, 3}};

template <int D>
class PartSearch {
 public:
  PartSearch(Communicator& group, const RangeGraph& graph, const SensorSlices& slices, const Loss& loss,
             Fold fold)
      : group_(group),
        graph_(graph),
        slices_(slices),
        loss_(loss),
        cost_(fold.cost),
        points_(graph.points_at(fold.positions)) {}

  Fold run() {
    start_from_shortest_paths();
    for (const std::size_t size : SIZES_OF_PARTS) {
      const auto parts = doubtful_parts(graph_, loss_, points_, size,
                                        static_cast<std::size_t>(graph_.sensors()) / SENSORS_FOR_A_PART + 1);
      if (parts.empty()) break;
      if (improve(parts) > 0) settle(points_);
    }
    return {cost_, 0, {points_.begin(), points_.begin() + static_cast<std::ptrdiff_t>(graph_.sensors()) * D}};
  }

 private:
  /// Keeps the map from shortest paths where a descent from there ends lower.
  void start_from_shortest_paths() {
    const std::vector<double> map = map_by_shortest_paths(graph_, points_, D);
    std::vector<double> other = points_;
    std::copy(map.begin(), map.end(), other.begin());
    const double before = cost_;
    std::swap(other, points_);
    settle(points_);
    if (cost_ < before) return;
    std::swap(other, points_);
    cost_ = before;
  }

  void settle(std::vector<double>& points) {
    std::vector<char> candidates(static_cast<std::size_t>(graph_.sensors()), 1);
    constexpr int ROUNDS = 4;
    for (int round = 0; round < ROUNDS; ++round) {
      cost_ = descend<D>(graph_, slices_, loss_, ROUGHLY, points).cost;
      if (flip<D>(graph_, slices_, loss_, points, candidates) == 0) break;
    }
  }

  /// @return how many parts moved; those that gain most first, and none next to another that moves
  int improve(const std::vector<std::vector<std::int32_t>>& parts) {
    std::vector<double> own;  // Part, gain, positions; once more …
    for (std::size_t number = 0; number < parts.size(); ++number) {
      if (static_cast<int>(number) % group_.size() != group_.rank()) continue;
      const RangeGraph part(graph_, parts[number], points_);
      std::vector<double> here;
      for (const std::int32_t sensor : parts[number]) {
        const auto at = points_.begin() + static_cast<std::ptrdiff_t>(sensor) * D;
        here.insert(here.end(), at, at + D);
      }
      Attempts attempts(part, loss_, part.points_at(here));
      const double before = attempts.run({Start::HERE, 0, 0}, here).cost;
      Fold best{before, 0, here};
      for (const Recipe& recipe : RECIPES_OF_A_PART) {
        Fold fold = attempts.run(recipe, best.positions);
        if (fold.cost < best.cost) best = std::move(fold);
      }
      if (!(best.cost < before - LEAST_GAIN)) continue;
      own.push_back(static_cast<double>(number));
      own.push_back(before - best.cost);
      own.insert(own.end(), best.positions.begin(), best.positions.end());
    }
    return apply(slices_.gather_lists(own), parts);
  }

  int apply(const std::vector<double>& all, const std::vector<std::vector<std::int32_t>>& parts) {
    struct Move {
      double gain;
      std::size_t part;
      const double* positions;
    };
    std::vector<Move> moves;
    for (std::size_t at = 0; at < all.size();) {
      const auto part = static_cast<std::size_t>(all[at]);
      moves.push_back({all[at + 1], part, &all[at + 2]});
      at += 2 + parts[part].size() * D;
    }
    std::sort(moves.begin(), moves.end(), [](const Move& a, const Move& b) {
      return a.gain > b.gain || (a.gain == b.gain && a.part < b.part);
    });
    std::vector<char> is_near(static_cast<std::size_t>(graph_.sensors()), 0);
    int applied = 0;
    for (const Move& move : moves) {
      const std::vector<std::int32_t>& sensors = parts[move.part];
      const bool is_free = std::none_of(sensors.begin(), sensors.end(), [&](std::int32_t sensor) {
        return is_near[static_cast<std::size_t>(sensor)] != 0;
      });
      if (!is_free) continue;
      ++applied;
      for (std::size_t k = 0; k < sensors.size(); ++k) {
        is_near[static_cast<std::size_t>(sensors[k])] = 1;
        for (const RangeEnd& end : graph_.ends_of(sensors[k])) {
          if (graph_.is_sensor(end.point)) is_near[static_cast<std::size_t>(end.point)] = 1;
        }
        std::copy_n(move.positions + k * D, D, &points_[static_cast<std::size_t>(sensors[k]) * D]);
      }
    }
    return applied;
  }

  Communicator& group_;
  const RangeGraph& graph_;
  const SensorSlices& slices_;
  const Loss loss_;
  double cost_;
  std::vector<double> points_;
};

}  // namespace

Fold search_parts(Communicator& group, const RangeGraph& graph, const SensorSlices& slices, const Loss& loss,
                  Fold fold) {
  return graph.dimension() == 2 ? PartSearch<2>(group, graph, slices, loss, std::move(fold)).run()
                                : PartSearch<3>(group, graph, slices, loss, std::move(fold)).run();
}

}  // namespace lockstep::splitting

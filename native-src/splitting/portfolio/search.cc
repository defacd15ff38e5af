#include "splitting/portfolio/search.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "splitting/flips.h"
#include "splitting/levenberg_marquardt.h"
#include "splitting/portfolio/group_mirrors.h"
#include "splitting/portfolio/parts.h"
#include "splitting/portfolio/reweighting.h"
#include "splitting/portfolio/shortest_paths.h"

namespace lockstep::splitting {
namespace {

using Start = Recipe::Start;

constexpr std::size_t ATTEMPTS_OF_A_ROUND = 2;
constexpr int MOST_ATTEMPTS = 12;
// Attempts in a row that find nothing better before the search ends, where all ranges fit and where not.
constexpr int ENOUGH_IF_CONSISTENT = 4;
constexpr int ENOUGH_IF_NOT = 6;
// Floating-point operations that attempts may take: of the order of the splitting's own 500 iterations.
constexpr double OPERATIONS = 4e9;
constexpr double OPERATIONS_OF_A_SENSOR = 2e7;
constexpr double MOST_OPERATIONS_OF_AN_ATTEMPT = 2e10;
constexpr int MOST_MIRRORINGS = 8;
// Of folds by sums of squares so many are kept, up to so far above the best, to be judged by their
// likelihood.
constexpr std::size_t MOST_FOLDS = 8;
constexpr double MOST_RISE_IN_SQUARES = 12;
constexpr double LEAST_GAIN_OVER_START = 1;
constexpr double LEAST_GAIN = 0.5;  // In the cost; less tells no two folds apart.
constexpr double SAME_COST = 0.02;
constexpr double CONSISTENT = 3;  // Standard deviations of χ².
constexpr std::size_t SIZES_OF_PARTS[] = {60, 120, 240, 240};
constexpr std::size_t SENSORS_FOR_A_PART =
    100;  // Of the network: so many parts of it are looked at in a round.
constexpr Ending ROUGHLY{.max_steps = 100, .tolerance = 1e-4};

const Recipe RECIPES_OF_A_PART[] = {{Start::HERE, 1, 1}, {Start::HERE, 2, 2}, {Start::SHORTEST_PATHS, 1, 3}};

/// The attempts of a whole network, in their order.
Recipe recipe_of(int attempt) {
  switch (attempt) {
    case 0:
      return {Start::SHORTEST_PATHS, 1, 1};
    case 1:
      return {Start::SHORTEST_PATHS, 0, 1};
    case 2:
      return {Start::SHORTEST_PATHS, 2, 2};
    case 3:
      return {Start::HERE, 1, 1};  // From where the search began, as the next.
    case 5:
      return {Start::HERE, 2, 2};
    default:
      return {Start::HERE, attempt % 2 == 1 ? 1 : 2, static_cast<std::uint64_t>(attempt)};
  }
}

/// Whether the ranges fit as well as ranges with their noise do.
bool is_consistent(const RangeGraph& graph, const Loss& loss, std::span<const double> points) {
  return chi_square(graph, loss, points).excess() < CONSISTENT;
}

void append(const Fold& fold, std::vector<double>& list) {
  list.push_back(fold.cost);
  list.insert(list.end(), fold.positions.begin(), fold.positions.end());
}

class WholeSearch {
 public:
  WholeSearch(Communicator& group, const RangeGraph& graph, const SensorSlices& slices, const Loss& loss,
              double most_rise, Fold fold)
      : group_(group),
        graph_(graph),
        slices_(slices),
        loss_(loss),
        most_rise_(most_rise),
        attempts_(graph, loss, graph.points_at(fold.positions)),
        first_(fold.positions),
        folds_{std::move(fold)} {}

  bool is_affordable() const { return attempts_.operations(1) < MOST_OPERATIONS_OF_AN_ATTEMPT; }

  std::vector<Fold> run() {
    double left = OPERATIONS + OPERATIONS_OF_A_SENSOR * graph_.sensors();
    int since_better = 0;
    for (int first = 0; first < MOST_ATTEMPTS && left > 0; first += ATTEMPTS_OF_A_ROUND) {
      const double before = folds_.front().cost;
      std::vector<double> own;
      for (int k = 0; k < static_cast<int>(ATTEMPTS_OF_A_ROUND); ++k) {
        const Recipe recipe = recipe_of(first + k);
        left -= attempts_.operations(recipe.extra_dimensions);
        if (k % group_.size() == group_.rank()) append(attempts_.run(recipe, start_of(first + k)), own);
      }
      const std::vector<double> all = slices_.gather_lists(own);
      for (Fold& fold : read_folds(all)) add(std::move(fold));
      if (first == 0 || folds_.front().cost < before) mirror_groups();
      since_better = folds_.front().cost < before - LEAST_GAIN
                         ? 0
                         : since_better + static_cast<int>(ATTEMPTS_OF_A_ROUND);
      const bool fits = is_consistent(graph_, loss_, graph_.points_at(folds_.front().positions));
      if (since_better >= (fits ? ENOUGH_IF_CONSISTENT : ENOUGH_IF_NOT)) break;
    }
    rank_by_likelihood();
    return std::move(folds_);
  }

 private:
  const std::vector<double>& start_of(int attempt) const {
    return attempt == 3 || attempt == 5 ? first_ : folds_.front().positions;
  }

  std::vector<Fold> read_folds(const std::vector<double>& list) const {
    std::vector<Fold> folds;
    for (auto at = list.begin(); at != list.end();) {
      const auto next = at + 1 + static_cast<std::ptrdiff_t>(first_.size());
      folds.push_back({*at, {at + 1, next}});
      at = next;
    }
    return folds;
  }

  /// Measured ranges weigh by what they are off, so that at 20 % noise a wrong fold may cost less than the
  /// right one. Of folds that the ranges hardly tell apart, the one in which the search began stays, as in
  /// flip().
  void rank_by_likelihood() {
    std::vector<double> own;
    for (std::size_t k = 0; k <= folds_.size(); ++k) {
      if (static_cast<int>(k) % group_.size() != group_.rank()) continue;
      Fold fold = reweighted(graph_, loss_, k == folds_.size() ? first_ : folds_[k].positions);
      if (k == folds_.size()) fold.cost -= LEAST_GAIN_OVER_START;
      append(fold, own);
    }
    folds_.clear();
    rise_ = most_rise_;
    std::vector<Fold> all = read_folds(slices_.gather_lists(own));
    std::sort(all.begin(), all.end(), [](const Fold& a, const Fold& b) {  // Whatever the number of ranks.
      return std::tie(a.cost, a.positions) < std::tie(b.cost, b.positions);
    });
    for (Fold& fold : all) add(std::move(fold));
  }

  /// Mirrors groups of the best fold as long as that lowers the cost.
  void mirror_groups() {
    for (int k = 0; k < MOST_MIRRORINGS; ++k) {
      const std::vector<double> points = graph_.points_at(folds_.front().positions);
      const auto groups = mirrored_groups(group_, graph_, slices_, loss_, points, -LEAST_GAIN);
      if (groups.empty()) return;
      std::vector<double> moved = folds_.front().positions;
      const auto d = static_cast<std::size_t>(graph_.dimension());
      for (std::size_t place = 0; place < groups[0].sensors.size(); ++place) {
        std::copy_n(&groups[0].positions[place * d], d,
                    &moved[static_cast<std::size_t>(groups[0].sensors[place]) * d]);
      }
      add(attempts_.run({Start::HERE, 0, 0}, moved));
    }
  }

  /// Of folds that cost the same the first stays; all ranks add in the same order.
  void add(Fold fold) {
    const bool is_known = std::any_of(folds_.begin(), folds_.end(), [&](const Fold& other) {
      return std::abs(other.cost - fold.cost) < SAME_COST;
    });
    if (is_known) return;
    folds_.push_back(std::move(fold));
    std::stable_sort(folds_.begin(), folds_.end(),
                     [](const Fold& a, const Fold& b) { return a.cost < b.cost; });
    std::erase_if(folds_, [&](const Fold& other) { return other.cost > folds_.front().cost + rise_; });
    if (folds_.size() > MOST_FOLDS) folds_.resize(MOST_FOLDS);
  }

  Communicator& group_;
  const RangeGraph& graph_;
  const SensorSlices& slices_;
  const Loss loss_;
  const double most_rise_;
  Attempts attempts_;
  const std::vector<double> first_;
  double rise_ = MOST_RISE_IN_SQUARES;
  std::vector<Fold> folds_;  ///< distinct ones, the best first, up to `rise_` above it
};

/// A large network: parts are fitted anew while the rest stays.
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
    return {cost_, {points_.begin(), points_.begin() + static_cast<std::ptrdiff_t>(graph_.sensors()) * D}};
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
      Fold best{before, here};
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

std::vector<Fold> search(Communicator& group, const RangeGraph& graph, const SensorSlices& slices,
                         const Loss& loss, double most_rise, Fold fold) {
  WholeSearch whole(group, graph, slices, loss, most_rise, fold);
  if (whole.is_affordable()) return whole.run();
  if (is_consistent(graph, loss, graph.points_at(fold.positions))) return {std::move(fold)};
  return {graph.dimension() == 2 ? PartSearch<2>(group, graph, slices, loss, std::move(fold)).run()
                                 : PartSearch<3>(group, graph, slices, loss, std::move(fold)).run()};
}

}  // namespace lockstep::splitting

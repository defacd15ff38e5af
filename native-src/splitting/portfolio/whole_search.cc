#include "splitting/portfolio/whole_search.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <tuple>
#include <utility>

#include "splitting/mirrors/group_mirrors.h"
#include "splitting/mirrors/mirror_images.h"
#include "splitting/portfolio/measured_pairs.h"
#include "splitting/portfolio/reweighting.h"

namespace lockstep::splitting {
namespace {

using Start = Recipe::Start;

constexpr int MOST_ATTEMPTS = 12;
// Attempts in a row that find nothing better before the search ends, where all ranges fit well, where they
// fit and where not. A wrong fold often fits, too, but hardly ever do two starts end in it that have nothing
// in common.
constexpr double FITS_WELL = 1;  // Standard deviations of χ² above its mean.
constexpr double FITS = 3;
constexpr int ENOUGH_IF_FITS_WELL = 1;
constexpr int ENOUGH_IF_FITS = 3;
constexpr int ENOUGH_IF_NOT = 5;
// Floating-point operations that attempts may take: of the order of the splitting's own 500 iterations.
constexpr double OPERATIONS = 1.5e9;
constexpr double OPERATIONS_OF_A_SENSOR = 5e6;
constexpr double MOST_OPERATIONS_OF_AN_ATTEMPT = 2e10;
constexpr int MOST_MIRRORINGS = 4;
constexpr int MOST_MOVES = 3;
// Of folds by sums of squares so many are kept, up to so far above the best, to be judged by their
// likelihood.
constexpr std::size_t MOST_FOLDS = 8;
constexpr double MOST_RISE_IN_SQUARES = 12;
constexpr double MOST_RISE = 5.7;  // Of −log likelihood of the ranges: half of χ²'s 99 % quantile in space.
constexpr double LEAST_GAIN_OVER_START = 1;
constexpr double LEAST_GAIN = 0.5;  // In the cost; less tells no two folds apart.
constexpr double SAME_COST = 0.02;
// What hides a pair from each other hides their neighbours, too: pairs are not independent of each other.
constexpr double SHARE_OF_PAIRS = 0.5;
constexpr std::size_t PATCH = 24;  // Sensors that give way to one that changes sides, with it.

/// The attempts of a whole network, in their order. The first two, which are the cheapest, are rounds by
/// themselves, the others are tried in pairs.
Recipe recipe_of(int attempt) {
  switch (attempt) {
    case 0:
      return {Start::SHORTEST_PATHS, 0, 1};
    case 1:
      return {Start::SHORTEST_PATHS, 1, 1};
    case 2:
      return {Start::HERE, 1, 1};  // From where the search began, as 4.
    case 3:
      return {Start::SHORTEST_PATHS, 2, 2};
    case 4:
      return {Start::HERE, 2, 2};
    default:
      return {Start::HERE, attempt % 2 == 1 ? 1 : 2, static_cast<std::uint64_t>(attempt)};
  }
}

void append(const Fold& fold, std::vector<double>& list) {
  list.push_back(fold.cost);
  list.insert(list.end(), fold.positions.begin(), fold.positions.end());
}

/// A group of sensors, or one, on the other side of its neighbours.
struct Move {
  double cost_difference;  ///< by the ranges
  std::vector<std::int32_t> sensors;
  std::vector<double> positions;
};

class WholeSearch {
 public:
  WholeSearch(Communicator& group, const RangeGraph& graph, const SensorSlices& slices, const Loss& loss,
              Fold fold)
      : group_(group),
        graph_(graph),
        slices_(slices),
        loss_(loss),
        dimension_(static_cast<std::size_t>(graph.dimension())),
        attempts_(graph, loss, graph.points_at(fold.positions)),
        first_(fold.positions),
        folds_{std::move(fold)} {}

  std::vector<Fold> run() {
    attempt_by_squares();
    judge_by_likelihood();
    move_by_likelihood();
    return std::move(folds_);
  }

 private:
  void attempt_by_squares() {
    double left = OPERATIONS + OPERATIONS_OF_A_SENSOR * graph_.sensors();
    int since_better = 0;
    for (int first = 0; first < MOST_ATTEMPTS && left > 0;) {
      const int next = first < 2 ? first + 1 : first + 2;
      const double before = folds_.front().cost;
      std::vector<double> own;
      for (int attempt = first; attempt < next; ++attempt) {
        const Recipe recipe = recipe_of(attempt);
        left -= attempts_.operations(recipe.extra_dimensions);
        if ((attempt - first) % group_.size() == group_.rank())
          append(attempts_.run(recipe, start_of(attempt)), own);
      }
      const std::vector<Fold> found = read_folds(slices_.gather_lists(own));
      for (const Fold& fold : found) add(fold);
      const bool is_better = folds_.front().cost < before - LEAST_GAIN;
      if (first == 0 || is_better) mirror_groups();
      const bool is_found_again = std::abs(found.front().cost - folds_.front().cost) < SAME_COST;
      const double excess = chi_square(graph_, loss_, graph_.points_at(folds_.front().positions)).excess();
      since_better = folds_.front().cost < before - LEAST_GAIN ? 0 : since_better + next - first;
      // From the splitting and from shortest paths.
      if (first == 0 && since_better > 0 && is_found_again && excess < FITS_WELL) break;
      if (first > 0 && since_better >= enough(excess)) break;
      first = next;
    }
  }

  static int enough(double excess) {
    return excess < FITS_WELL ? ENOUGH_IF_FITS_WELL : excess < FITS ? ENOUGH_IF_FITS : ENOUGH_IF_NOT;
  }

  const std::vector<double>& start_of(int attempt) const {
    return attempt == 2 || attempt == 4 ? first_ : folds_.front().positions;
  }

  std::vector<Fold> read_folds(const std::vector<double>& list) const {
    std::vector<Fold> folds;
    for (auto at = list.begin(); at != list.end();) {
      const auto next = at + 1 + static_cast<std::ptrdiff_t>(first_.size());
      folds.push_back({*at, 0, {at + 1, next}});
      at = next;
    }
    return folds;
  }

  /// Measured ranges weigh by what they are off, so that at 20 % noise a wrong fold may cost less than the
  /// right one. Of folds that the ranges hardly tell apart, the one in which the search began stays, as in
  /// flip().
  void judge_by_likelihood() {
    std::vector<double> own;
    const auto is_first = [&](const Fold& fold) { return fold.positions == first_; };
    if (std::none_of(folds_.begin(), folds_.end(), is_first)) folds_.push_back({0, 0, first_});
    for (std::size_t k = 0; k < folds_.size(); ++k) {
      if (static_cast<int>(k) % group_.size() != group_.rank()) continue;
      Fold fold = reweighted(graph_, loss_, folds_[k].positions);
      if (is_first(folds_[k])) fold.cost -= LEAST_GAIN_OVER_START;
      append(fold, own);
    }
    folds_.clear();
    is_by_likelihood_ = true;
    std::vector<Fold> all = read_folds(slices_.gather_lists(own));
    // Whatever the number of ranks: the cheapest of folds that are the same comes first and stays.
    std::sort(all.begin(), all.end(), [](const Fold& a, const Fold& b) {
      return std::tie(a.cost, a.positions) < std::tie(b.cost, b.positions);
    });
    for (Fold& fold : all) {
      fold.surprise = SHARE_OF_PAIRS * surprise_of_pairs(graph_, graph_.points_at(fold.positions));
      add(std::move(fold));
    }
  }

  /// Mirrors groups of the best fold as long as that lowers the cost.
  void mirror_groups() {
    for (int k = 0; k < MOST_MIRRORINGS; ++k) {
      const std::vector<double> points = graph_.points_at(folds_.front().positions);
      const auto groups = mirrored_groups(group_, graph_, slices_, loss_, points, -LEAST_GAIN);
      if (groups.empty()) return;
      add(attempts_.run({Start::HERE, 0, 0},
                        moved({groups[0].cost_difference, groups[0].sensors, groups[0].positions})));
    }
  }

  /// Moves groups and sensors of the best fold as long as a place that the ranges allow is more likely.
  void move_by_likelihood() {
    for (int k = 0; k < MOST_MOVES; ++k) {
      const Fold best = folds_.front();
      double least = best.surprise - LEAST_GAIN;
      std::vector<double> there;
      for (const Move& move : moves_of(best)) {
        std::vector<double> positions = moved(move);
        const double surprise = SHARE_OF_PAIRS * surprise_of_pairs(graph_, graph_.points_at(positions));
        if (!(move.cost_difference + surprise < least)) continue;
        least = move.cost_difference + surprise;
        there = std::move(positions);
      }
      if (there.empty()) return;
      Fold fold = reweighted(graph_, loss_, there);
      fold.surprise = SHARE_OF_PAIRS * surprise_of_pairs(graph_, graph_.points_at(fold.positions));
      const bool is_better = fold.total() < best.total() - LEAST_GAIN;
      add(std::move(fold));
      if (!is_better) return;
    }
  }

  std::vector<Move> moves_of(const Fold& fold) const {
    RangeGraph weighed = graph_;
    const std::vector<double> points = graph_.points_at(fold.positions);
    weighed.weigh_by(points);
    std::vector<Move> moves;
    for (MirroredGroup& group : mirrored_groups(group_, weighed, slices_, loss_, points, MOST_RISE)) {
      moves.push_back({group.cost_difference, std::move(group.sensors), std::move(group.positions)});
    }
    if (graph_.dimension() == 2) {
      add_single_moves<2>(weighed, points, moves);
    } else {
      add_single_moves<3>(weighed, points, moves);
    }
    return moves;
  }

  template <int D>
  void add_single_moves(const RangeGraph& weighed, const std::vector<double>& points,
                        std::vector<Move>& moves) const {
    MirrorImages<D> images(weighed, loss_, PATCH);
    std::vector<double> own;  // Cost, count, sensors, positions; once more …
    for (std::int32_t sensor = slices_.begin(); sensor < slices_.end(); ++sensor) {
      const MirrorImage image = images.find(sensor, points);
      if (!(image.cost_difference < MOST_RISE)) continue;
      own.push_back(image.cost_difference);
      own.push_back(static_cast<double>(image.sensors.size()));
      own.insert(own.end(), image.sensors.begin(), image.sensors.end());
      own.insert(own.end(), image.positions.begin(), image.positions.end());
    }
    const std::vector<double> all = slices_.gather_lists(own);
    for (auto at = all.begin(); at != all.end();) {
      const auto count = static_cast<std::ptrdiff_t>(at[1]);
      Move move{at[0], {at + 2, at + 2 + count}, {at + 2 + count, at + 2 + count * (1 + D)}};
      at += 2 + count * (1 + D);
      moves.push_back(std::move(move));
    }
  }

  /// The best fold with a move.
  std::vector<double> moved(const Move& move) const {
    std::vector<double> positions = folds_.front().positions;
    for (std::size_t k = 0; k < move.sensors.size(); ++k) {
      std::copy_n(&move.positions[k * dimension_], dimension_,
                  &positions[static_cast<std::size_t>(move.sensors[k]) * dimension_]);
    }
    return positions;
  }

  /// Of folds that cost the same the first stays; all ranks add in the same order.
  void add(Fold fold) {
    const bool is_known = std::any_of(folds_.begin(), folds_.end(), [&](const Fold& other) {
      return std::abs(other.cost - fold.cost) < SAME_COST &&
             std::abs(other.surprise - fold.surprise) < SAME_COST;
    });
    if (is_known) return;
    folds_.push_back(std::move(fold));
    double least = folds_.front().cost;
    for (const Fold& other : folds_) least = std::min(least, other.cost);
    const double most = least + (is_by_likelihood_ ? MOST_RISE : MOST_RISE_IN_SQUARES);
    std::erase_if(folds_, [&](const Fold& other) { return other.cost > most; });
    std::stable_sort(folds_.begin(), folds_.end(),
                     [](const Fold& a, const Fold& b) { return a.total() < b.total(); });
    if (folds_.size() > MOST_FOLDS) folds_.resize(MOST_FOLDS);
  }

  Communicator& group_;
  const RangeGraph& graph_;
  const SensorSlices& slices_;
  const Loss loss_;
  const std::size_t dimension_;
  Attempts attempts_;
  const std::vector<double> first_;
  bool is_by_likelihood_ = false;
  std::vector<Fold> folds_;  ///< distinct ones, the best first
};

}  // namespace

bool can_search_whole(const RangeGraph& graph, std::span<const double> points) {
  return Attempts(graph, Loss{0}, points).operations(1) < MOST_OPERATIONS_OF_AN_ATTEMPT;
}

std::vector<Fold> search_whole(Communicator& group, const RangeGraph& graph, const SensorSlices& slices,
                               const Loss& loss, Fold fold) {
  return WholeSearch(group, graph, slices, loss, std::move(fold)).run();
}

}  // namespace lockstep::splitting

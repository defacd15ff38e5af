#include "splitting/mirrors/mirror_candidates.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>
#include <utility>

#include "splitting/mirrors/mirror.h"

namespace lockstep::splitting {
namespace {

// A range that a reflection makes less likely by e⁻⁶ ties its ends together, unless one of them is so near
// the mirror that it may give way.
constexpr double TIED = 6;
constexpr double NEAR_MIRROR = 0.12;  // Of the mean range.
constexpr double MOST_RISE_UNALIGNED = 2e4;
constexpr std::size_t WHOLE = 400;  // Sensors: larger networks are looked at in balls of BALL.
constexpr std::size_t BALL = 120;
constexpr double LEAST_MOVE = 0.05;  // Of the mean range.

/// The size of a standardised residual: the inverse of Loss::cost.
double residual_that_costs(double cost, const Loss& loss) {
  const double size = std::sqrt(2 * cost);
  return loss.threshold > 0 && size > loss.threshold ? cost / loss.threshold + 0.5 * loss.threshold : size;
}

template <int D>
class MirrorSearch {
 public:
  MirrorSearch(const RangeGraph& graph, const Loss& loss, std::span<const double> points)
      : graph_(graph), loss_(loss), points_(points), local_(points.size() / D, NOWHERE) {}

  void reflect(const MirrorPoints& through, MirrorCandidates& found) {
    enter(through.center);
    Mirror<D> mirror;
    if (!span_mirror<D>(through, points_, mirror)) return;
    for (std::size_t k = 0; k < places_.size(); ++k) heights_[k] = mirror.height(place(places_[k]));
    for (const bool near_ones_tie : {true, false}) {
      const bool some_are_near = unite(near_ones_tie);
      collect(mirror, found);
      if (!some_are_near) break;  // Without them nothing else would come out.
    }
  }

 private:
  static constexpr std::int32_t NOWHERE = -1;

  /// A range with an end in the ball. Ends are places.
  struct Tie {
    std::size_t first;
    std::size_t second;
    double square;  ///< of the distance
    double least;   ///< of that after a reflection that does not tie
    double most;
    double range;
    double precision;
    double cost;
  };

  double square_reflected(const Tie& tie) const {
    return std::max(tie.square + 4 * heights_[tie.first] * heights_[tie.second], 0.0);
  }

  /// Of the cost of a range by the reflection.
  double rise(const Tie& tie) const {
    return loss_.cost((tie.range - std::sqrt(square_reflected(tie))) * tie.precision) - tie.cost;
  }

  const double* place(std::int32_t point) const { return &points_[static_cast<std::size_t>(point) * D]; }

  /// The ball around a sensor, or the whole network.
  void enter(std::int32_t center) {
    const bool is_whole = static_cast<std::size_t>(graph_.sensors()) <= WHOLE;
    if (center_ == center || (is_whole && center_ >= 0)) return;
    center_ = center;
    for (const std::int32_t point : places_) local_[static_cast<std::size_t>(point)] = NOWHERE;
    places_.clear();
    if (is_whole) {
      for (std::int32_t sensor = 0; sensor < graph_.sensors(); ++sensor) place_of(sensor);
    } else {
      place_of(center);
      for (std::size_t k = 0; k < places_.size(); ++k) {
        for (const RangeEnd& end : graph_.ends_of(places_[k])) {
          if (!graph_.is_sensor(end.point) || places_.size() >= BALL) break;
          place_of(end.point);
        }
      }
    }
    ball_ = places_.size();
    collect_ties();
  }

  /// The place of a point, a new one where it has none.
  std::size_t place_of(std::int32_t point) {
    std::int32_t& local = local_[static_cast<std::size_t>(point)];
    if (local == NOWHERE) {
      local = static_cast<std::int32_t>(places_.size());
      places_.push_back(point);
    }
    return static_cast<std::size_t>(local);
  }

  void collect_ties() {
    ties_.clear();
    for (std::size_t k = 0; k < ball_; ++k) {
      const std::int32_t sensor = places_[k];
      for (const RangeEnd& end : graph_.ends_of(sensor)) {
        const std::size_t other = place_of(end.point);
        if (other < ball_ && end.point < sensor) continue;  // The other end has it.
        const double distance = distance_between<D>(place(sensor), place(end.point));
        const double cost = loss_.cost((end.range - distance) * end.precision);
        const double most_off = residual_that_costs(cost + TIED, loss_) / end.precision;
        const double least = std::max(end.range - most_off, 0.0);
        const double most = end.range + most_off;
        ties_.push_back(
            {k, other, distance * distance, least * least, most * most, end.range, end.precision, cost});
      }
    }
    heights_.resize(places_.size());
    parents_.resize(ball_ + 1);
    roots_.resize(ball_ + 1);
    sizes_.resize(ball_ + 1);
    rise_.resize(ball_ + 1);
  }

  std::size_t find_root(std::size_t k) {
    while (parents_[k] != k) k = parents_[k] = parents_[parents_[k]];
    return k;
  }

  /// In the disjoint sets all points outside the ball are the ground.
  std::size_t set_of(std::size_t place) const { return std::min(place, ball_); }

  bool is_near(std::size_t place) const {
    return std::abs(heights_[place]) < NEAR_MIRROR * graph_.mean_range();
  }

  /// Joins the ends of the ranges that tie. @return whether any of these has an end near the mirror
  bool unite(bool near_ones_tie) {
    for (std::size_t k = 0; k <= ball_; ++k) parents_[k] = k;
    bool some_are_near = false;
    for (std::size_t k = 0; k < ties_.size(); ++k) {
      const double square = square_reflected(ties_[k]);
      if (square <= ties_[k].most && square >= ties_[k].least) continue;
      if (is_near(ties_[k].first) || is_near(ties_[k].second)) {
        some_are_near = true;
        if (!near_ones_tie) continue;
      }
      const std::size_t one = find_root(ties_[k].first);
      const std::size_t two = find_root(set_of(ties_[k].second));
      parents_[std::min(one, two)] = std::max(one, two);  // The ground stays a root.
    }
    std::fill(sizes_.begin(), sizes_.end(), 0);
    for (std::size_t k = 0; k <= ball_; ++k) ++sizes_[roots_[k] = find_root(k)];
    return some_are_near;
  }

  /// Each group that is not tied to the ground, and all of them together. Single sensors are MirrorImages'.
  void collect(const Mirror<D>& mirror, MirrorCandidates& found) {
    const auto is_group = [](std::size_t size) { return size > 1; };
    if (std::none_of(sizes_.begin(), sizes_.end() - 1, is_group)) return;
    add_up_rises();
    std::vector<std::size_t> kept;
    for (std::size_t root = 0; root < ball_; ++root) {
      if (is_group(sizes_[root]) && rise_[root] < MOST_RISE_UNALIGNED && keep(root, mirror, found))
        kept.push_back(root);
    }
    if (kept.size() < 2) return;
    for (std::size_t& root : roots_) {
      if (std::binary_search(kept.begin(), kept.end(), root)) root = kept.front();
    }
    add_up_rises();
    keep(kept.front(), mirror, found);
  }

  void add_up_rises() {
    std::fill(rise_.begin(), rise_.end(), 0.0);
    for (std::size_t k = 0; k < ties_.size(); ++k) {
      const std::size_t one = roots_[ties_[k].first];
      const std::size_t two = roots_[set_of(ties_[k].second)];
      if (one == two) continue;
      const double more = rise(ties_[k]);
      rise_[one] += more;
      rise_[two] += more;
    }
  }

  /// @return whether the group with this root can be mirrored: one that hardly moves is none
  bool keep(std::size_t root, const Mirror<D>& mirror, MirrorCandidates& found) {
    MirrorCandidate candidate{rise_[root], {}, {}};
    double farthest = 0;
    for (std::size_t k = 0; k < ball_; ++k) {
      if (roots_[k] != root) continue;
      candidate.sensors.push_back(places_[k]);
      farthest = std::max(farthest, 2 * std::abs(heights_[k]));
    }
    if (farthest < LEAST_MOVE * graph_.mean_range()) return false;
    std::sort(candidate.sensors.begin(), candidate.sensors.end());
    for (const std::int32_t sensor : candidate.sensors) {
      const std::array<double, D> image = mirror.image(place(sensor));
      candidate.positions.insert(candidate.positions.end(), image.begin(), image.end());
    }
    add(std::move(candidate), found);
    return true;
  }

  const RangeGraph& graph_;
  const Loss loss_;
  const std::span<const double> points_;
  std::int32_t center_ = NOWHERE;
  std::vector<std::int32_t> local_;   ///< of each point its place
  std::vector<std::int32_t> places_;  ///< the ball's sensors, then what else they have ranges to
  std::size_t ball_ = 0;
  std::vector<Tie> ties_;
  std::vector<double> heights_;       ///< of each place
  std::vector<std::size_t> parents_;  ///< disjoint sets of the ball's sensors, the ground last
  std::vector<std::size_t> roots_;
  std::vector<std::size_t> sizes_;  ///< of the set with this root
  std::vector<double> rise_;        ///< of the group with this root
};

template <int D>
MirrorCandidates candidates_in(const RangeGraph& graph, const Loss& loss, std::span<const double> points,
                               int share, int shares) {
  const std::vector<MirrorPoints> mirrors =
      mirrors_of(graph, points.size() / D - static_cast<std::size_t>(graph.sensors()));
  const auto part = static_cast<std::size_t>(share);
  const auto parts = static_cast<std::size_t>(shares);
  MirrorSearch<D> search(graph, loss, points);
  MirrorCandidates found;
  for (std::size_t k = mirrors.size() * part / parts; k < mirrors.size() * (part + 1) / parts; ++k) {
    search.reflect(mirrors[k], found);
  }
  return found;
}

}  // namespace

void add(MirrorCandidate candidate, MirrorCandidates& candidates) {
  const auto known = candidates.find(candidate.sensors);
  if (known != candidates.end()) {
    const MirrorCandidate& other = known->second;
    if (std::tie(other.rise, other.positions) <= std::tie(candidate.rise, candidate.positions)) return;
  }
  candidates[candidate.sensors] = std::move(candidate);
}

MirrorCandidates mirror_candidates(const RangeGraph& graph, const Loss& loss, std::span<const double> points,
                                   int share, int shares) {
  return graph.dimension() == 2 ? candidates_in<2>(graph, loss, points, share, shares)
                                : candidates_in<3>(graph, loss, points, share, shares);
}

}  // namespace lockstep::splitting

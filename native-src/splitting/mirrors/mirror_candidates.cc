#include "splitting/mirrors/mirror_candidates.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace lockstep::splitting {
namespace {

// A range that a reflection makes less likely by e⁻⁶ ties its ends together, unless one of them is so near
// the mirror that it may give way.
constexpr double TIED = 6;
constexpr double NEAR_MIRROR = 0.12;  // Of the mean range.
constexpr double MOST_RISE_UNALIGNED = 2e4;
constexpr std::size_t WHOLE = 400;           // Sensors: larger networks are looked at in balls of BALL.
constexpr std::size_t WHOLE_IN_SPACE = 100;  // Up to where planes through far anchors are not too many.
constexpr std::size_t BALL = 120;
constexpr std::size_t MOST_ENDS = 10;     // Of a sensor, that lines are drawn through.
constexpr std::int32_t MOST_ANCHORS = 6;  // … beside these.
constexpr double LEAST_MOVE = 0.05;       // Of the mean range.
constexpr double FLATTEST = 1e-3;         // Sine of the angle at which three points still span a plane.

template <int D>
struct Mirror {
  std::array<double, D> origin;
  std::array<double, D> normal;

  double height(const double* point) const {
    double sum = 0;
    for (int k = 0; k < D; ++k) sum += (point[k] - origin[k]) * normal[k];
    return sum;
  }

  std::array<double, D> image(const double* point) const {
    const double above = height(point);
    std::array<double, D> other;
    for (int k = 0; k < D; ++k) other[k] = point[k] - 2 * above * normal[k];
    return other;
  }
};

/// The line through two points, or the plane through three. @return whether there is one
template <int D>
bool span_mirror(const std::array<const double*, 3>& points, Mirror<D>& mirror) {
  double u[D], v[D];
  double length_u = 0;
  double length_v = 0;
  for (int k = 0; k < D; ++k) {
    mirror.origin[k] = points[0][k];
    u[k] = points[1][k] - points[0][k];
    v[k] = points[2][k] - points[0][k];
    length_u += u[k] * u[k];
    length_v += v[k] * v[k];
  }
  if constexpr (D == 2) {
    mirror.normal = {-u[1], u[0]};
  } else {
    mirror.normal = {u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]};
  }
  double square = 0;
  for (int k = 0; k < D; ++k) square += mirror.normal[k] * mirror.normal[k];
  const double least = D == 2 ? 0 : FLATTEST * FLATTEST * length_u * length_v;
  if (!(square > least)) return false;
  for (int k = 0; k < D; ++k) mirror.normal[k] /= std::sqrt(square);
  return true;
}

template <int D>
class MirrorSearch {
 public:
  MirrorSearch(const RangeGraph& graph, const Loss& loss, std::span<const double> points)
      : graph_(graph), loss_(loss), points_(points), local_(static_cast<std::size_t>(graph.sensors()), -1) {}

  /// The candidates of all mirrors near a sensor, added to `found` by their sensors.
  void find(std::int32_t sensor, MirrorCandidates& found) {
    if (static_cast<std::size_t>(graph_.sensors()) > WHOLE) {
      enter_ball(sensor);
    } else if (ball_.empty()) {
      enter_all();
    }
    std::vector<std::int32_t> near{sensor};
    const auto ends = graph_.ends_of(sensor);
    const std::size_t stride = (ends.size() + MOST_ENDS - 1) / MOST_ENDS;
    for (std::size_t k = 0; k < ends.size(); k += stride) near.push_back(ends[k].point);
    // Anchors far away may be the hinge of a group, too.
    if (static_cast<std::size_t>(graph_.sensors()) <= (D == 2 ? WHOLE : WHOLE_IN_SPACE)) {
      const auto all = static_cast<std::int32_t>(points_.size() / D);
      const std::int32_t apart = (all - graph_.sensors() + MOST_ANCHORS - 1) / MOST_ANCHORS;
      for (std::int32_t anchor = graph_.sensors(); anchor < all; anchor += apart) near.push_back(anchor);
    }
    for (std::size_t a = 0; a < near.size(); ++a) {
      for (std::size_t b = a + 1; b < near.size(); ++b) {
        if constexpr (D == 2) {
          reflect({place(near[a]), place(near[b]), place(near[b])}, found);
        } else if (a > 0) {
          reflect({place(near[0]), place(near[a]), place(near[b])}, found);
        }
      }
    }
  }

 private:
  const double* place(std::int32_t point) const { return &points_[static_cast<std::size_t>(point) * D]; }

  struct Tie {
    std::int32_t first;   ///< in the ball
    std::int32_t second;  ///< in the ball, or GROUND
    const RangeEnd* end;
    double cost;
  };
  static constexpr std::int32_t GROUND = -1;

  void enter_all() {
    for (std::int32_t sensor = 0; sensor < graph_.sensors(); ++sensor) {
      local_[static_cast<std::size_t>(sensor)] = sensor;
      ball_.push_back(sensor);
    }
    collect_ties();
  }

  void enter_ball(std::int32_t center) {
    for (const std::int32_t sensor : ball_) local_[static_cast<std::size_t>(sensor)] = -1;
    ball_ = {center};
    local_[static_cast<std::size_t>(center)] = 0;
    for (std::size_t k = 0; k < ball_.size(); ++k) {
      for (const RangeEnd& end : graph_.ends_of(ball_[k])) {
        if (!graph_.is_sensor(end.point) || ball_.size() >= BALL) break;
        std::int32_t& local = local_[static_cast<std::size_t>(end.point)];
        if (local >= 0) continue;
        local = static_cast<std::int32_t>(ball_.size());
        ball_.push_back(end.point);
      }
    }
    collect_ties();
  }

  void collect_ties() {
    ties_.clear();
    for (std::size_t k = 0; k < ball_.size(); ++k) {
      for (const RangeEnd& end : graph_.ends_of(ball_[k])) {
        const std::int32_t other =
            graph_.is_sensor(end.point) ? local_[static_cast<std::size_t>(end.point)] : GROUND;
        if (other >= 0 && end.point < ball_[k]) continue;
        const double distance = distance_between<D>(place(ball_[k]), place(end.point));
        ties_.push_back(
            {static_cast<std::int32_t>(k), other, &end, loss_.cost((end.range - distance) * end.precision)});
      }
    }
    parents_.resize(ball_.size() + 1);
    roots_.resize(ball_.size() + 1);
    rise_.resize(ball_.size() + 1);
    images_.resize(ball_.size());
    rises_.resize(ties_.size());
    is_near_.resize(ties_.size());
  }

  std::size_t find_root(std::size_t k) {
    while (parents_[k] != k) k = parents_[k] = parents_[parents_[k]];
    return k;
  }

  bool is_near(const Mirror<D>& mirror, std::int32_t point) const {
    return std::abs(mirror.height(place(point))) < NEAR_MIRROR * graph_.mean_range();
  }

  void reflect(const std::array<const double*, 3>& through, MirrorCandidates& found) {
    Mirror<D> mirror;
    if (!span_mirror<D>(through, mirror)) return;
    for (std::size_t k = 0; k < ball_.size(); ++k) images_[k] = mirror.image(place(ball_[k]));
    for (std::size_t k = 0; k < ties_.size(); ++k) {
      const Tie& tie = ties_[k];
      const double distance =
          distance_between<D>(images_[static_cast<std::size_t>(tie.first)].data(), place(tie.end->point));
      rises_[k] = loss_.cost((tie.end->range - distance) * tie.end->precision) - tie.cost;
      is_near_[k] =
          is_near(mirror, ball_[static_cast<std::size_t>(tie.first)]) || is_near(mirror, tie.end->point);
    }
    for (const bool near_ones_tie : {true, false}) {
      unite(near_ones_tie);
      collect(found);
    }
  }

  /// Joins the ends of the ranges that tie.
  void unite(bool near_ones_tie) {
    const std::size_t ground = ball_.size();
    for (std::size_t k = 0; k <= ground; ++k) parents_[k] = k;
    for (std::size_t k = 0; k < ties_.size(); ++k) {
      if (rises_[k] <= TIED || (is_near_[k] != 0 && !near_ones_tie)) continue;
      const std::size_t one = find_root(static_cast<std::size_t>(ties_[k].first));
      const std::size_t two = find_root(end_of(ties_[k]));
      parents_[std::min(one, two)] = std::max(one, two);  // The ground stays a root.
    }
    for (std::size_t k = 0; k <= ground; ++k) roots_[k] = find_root(k);
  }

  std::size_t end_of(const Tie& tie) const {
    return tie.second == GROUND ? ball_.size() : static_cast<std::size_t>(tie.second);
  }

  /// Each group that is not tied to the ground, and all of them together.
  void collect(MirrorCandidates& found) {
    add_up_rises();
    std::vector<std::size_t> kept;
    for (std::size_t root = 0; root < ball_.size(); ++root) {
      if (roots_[root] == root && rise_[root] < MOST_RISE_UNALIGNED && keep(root, found))
        kept.push_back(root);
    }
    if (kept.size() < 2) return;
    for (std::size_t& root : roots_) {
      if (std::binary_search(kept.begin(), kept.end(), root)) root = kept.front();
    }
    add_up_rises();
    keep(kept.front(), found);
  }

  void add_up_rises() {
    std::fill(rise_.begin(), rise_.end(), 0.0);
    for (std::size_t k = 0; k < ties_.size(); ++k) {
      const std::size_t one = roots_[static_cast<std::size_t>(ties_[k].first)];
      const std::size_t two = roots_[end_of(ties_[k])];
      if (one == two) continue;
      rise_[one] += rises_[k];
      rise_[two] += rises_[k];
    }
  }

  /// @return whether the group with this root can be mirrored
  bool keep(std::size_t root, MirrorCandidates& found) {
    std::vector<std::pair<std::int32_t, std::size_t>> members;
    double farthest = 0;
    for (std::size_t k = 0; k < ball_.size(); ++k) {
      if (roots_[k] != root) continue;
      members.emplace_back(ball_[k], k);
      farthest = std::max(farthest, distance_between<D>(place(ball_[k]), images_[k].data()));
    }
    // Single sensors are MirrorImages'; a group that hardly moves is none.
    if (members.size() < 2 || farthest < LEAST_MOVE * graph_.mean_range()) return false;
    std::sort(members.begin(), members.end());
    std::vector<std::int32_t> sensors;
    for (const auto& [sensor, k] : members) sensors.push_back(sensor);
    MirrorCandidate candidate{rise_[root], sensors, {}};
    for (const auto& [sensor, k] : members) {
      candidate.positions.insert(candidate.positions.end(), images_[k].begin(), images_[k].end());
    }
    add(std::move(candidate), found);
    return true;
  }

  const RangeGraph& graph_;
  const Loss loss_;
  const std::span<const double> points_;
  std::vector<std::int32_t> ball_;
  std::vector<std::int32_t> local_;
  std::vector<Tie> ties_;
  std::vector<std::size_t> parents_;  ///< disjoint sets of the ball's sensors, the ground last
  std::vector<std::size_t> roots_;
  std::vector<double> rise_;  ///< of the group with this root
  std::vector<std::array<double, D>> images_;
  std::vector<double> rises_;  ///< of each tie
  std::vector<char> is_near_;  ///< whether an end of a tie is near the mirror
};

template <int D>
MirrorCandidates candidates_in(const RangeGraph& graph, const SensorSlices& slices, const Loss& loss,
                               std::span<const double> points) {
  MirrorSearch<D> search(graph, loss, points);
  MirrorCandidates found;
  for (std::int32_t sensor = slices.begin(); sensor < slices.end(); ++sensor) search.find(sensor, found);
  return found;
}

}  // namespace

void add(MirrorCandidate candidate, MirrorCandidates& candidates) {
  const auto known = candidates.find(candidate.sensors);
  if (known != candidates.end() && known->second.rise <= candidate.rise) return;
  candidates[candidate.sensors] = std::move(candidate);
}

MirrorCandidates mirror_candidates(const RangeGraph& graph, const SensorSlices& slices, const Loss& loss,
                                   std::span<const double> points) {
  return graph.dimension() == 2 ? candidates_in<2>(graph, slices, loss, points)
                                : candidates_in<3>(graph, slices, loss, points);
}

}  // namespace lockstep::splitting

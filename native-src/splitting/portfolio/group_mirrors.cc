#include "splitting/portfolio/group_mirrors.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <utility>

#include "splitting/portfolio/block_cholesky.h"
#include "splitting/patch.h"
#include "splitting/portfolio/lifted_fit.h"

namespace lockstep::splitting {
namespace {

// A range that a reflection makes less likely by e⁻⁶ ties its ends together. What all cut ranges may cost before
// the sensors around give way is ten times that.
constexpr double TIED = 6;
constexpr double MOST_RISE_UNREFINED = 60;
constexpr std::size_t WHOLE = 400;       // Sensors: larger networks are looked at in balls of BALL.
constexpr std::size_t BALL = 120;
constexpr std::size_t MOST_ENDS = 10;    // Of a sensor, that lines are drawn through.
constexpr std::size_t MOST_REFINED = 40; // Candidates, the cheapest, of a network of WHOLE sensors.
constexpr std::size_t AROUND = 60;       // Sensors that give way to a group.
constexpr double FLATTEST = 1e-3;        // Sine of the angle at which three points still span a plane.

template <int D>
struct Mirror {
  std::array<double, D> origin;
  std::array<double, D> normal;

  std::array<double, D> image(const double* point) const {
    double height = 0;
    for (int k = 0; k < D; ++k) height += (point[k] - origin[k]) * normal[k];
    std::array<double, D> other;
    for (int k = 0; k < D; ++k) other[k] = point[k] - 2 * height * normal[k];
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

struct Candidate {
  double rise;
  std::vector<std::int32_t> sensors;  ///< ascending
  std::vector<double> positions;      ///< mirrored
};

template <int D>
class Mirrors {
 public:
  Mirrors(const RangeGraph& graph, const Loss& loss, std::span<const double> points)
      : graph_(graph), loss_(loss), points_(points), local_(static_cast<std::size_t>(graph.sensors()), -1) {}

  /// The candidates of all mirrors near a sensor, added to `found` by their sensors.
  void find(std::int32_t sensor, std::map<std::vector<std::int32_t>, Candidate>& found) {
    if (static_cast<std::size_t>(graph_.sensors()) > WHOLE || ball_.empty()) enter_ball(sensor);
    std::vector<std::int32_t> near{sensor};
    const auto ends = graph_.ends_of(sensor);
    const std::size_t stride = (ends.size() + MOST_ENDS - 1) / MOST_ENDS;
    for (std::size_t k = 0; k < ends.size(); k += stride) near.push_back(ends[k].point);
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

  void enter_ball(std::int32_t center) {
    for (const std::int32_t sensor : ball_) local_[static_cast<std::size_t>(sensor)] = -1;
    const auto all = static_cast<std::size_t>(graph_.sensors());
    const std::size_t most = all > WHOLE ? BALL : all;
    ball_ = {center};
    local_[static_cast<std::size_t>(center)] = 0;
    for (std::size_t k = 0; k < ball_.size(); ++k) {
      for (const RangeEnd& end : graph_.ends_of(ball_[k])) {
        if (!graph_.is_sensor(end.point) || ball_.size() >= most) break;
        std::int32_t& local = local_[static_cast<std::size_t>(end.point)];
        if (local >= 0) continue;
        local = static_cast<std::int32_t>(ball_.size());
        ball_.push_back(end.point);
      }
    }
    ties_.clear();
    for (std::size_t k = 0; k < ball_.size(); ++k) {
      for (const RangeEnd& end : graph_.ends_of(ball_[k])) {
        const std::int32_t other =
            graph_.is_sensor(end.point) ? local_[static_cast<std::size_t>(end.point)] : GROUND;
        if (other >= 0 && end.point < ball_[k]) continue;
        const double distance = distance_between<D>(place(ball_[k]), place(end.point));
        ties_.push_back({static_cast<std::int32_t>(k), other, &end,
                         loss_.cost((end.range - distance) * end.precision)});
      }
    }
    parents_.resize(ball_.size() + 1);
    images_.resize(ball_.size());
    rises_.resize(ties_.size());
  }

  std::size_t find_root(std::size_t k) {
    while (parents_[k] != k) k = parents_[k] = parents_[parents_[k]];
    return k;
  }

  void reflect(const std::array<const double*, 3>& through, std::map<std::vector<std::int32_t>, Candidate>& found) {
    Mirror<D> mirror;
    if (!span_mirror<D>(through, mirror)) return;
    for (std::size_t k = 0; k < ball_.size(); ++k) images_[k] = mirror.image(place(ball_[k]));
    const std::size_t ground = ball_.size();
    for (std::size_t k = 0; k <= ground; ++k) parents_[k] = k;
    for (std::size_t k = 0; k < ties_.size(); ++k) {
      const Tie& tie = ties_[k];
      const double distance = distance_between<D>(images_[static_cast<std::size_t>(tie.first)].data(),
                                                  place(tie.end->point));
      rises_[k] = loss_.cost((tie.end->range - distance) * tie.end->precision) - tie.cost;
      if (rises_[k] <= TIED) continue;
      const std::size_t one = find_root(static_cast<std::size_t>(tie.first));
      const std::size_t two = find_root(tie.second == GROUND ? ground : static_cast<std::size_t>(tie.second));
      parents_[std::min(one, two)] = std::max(one, two);  // The ground stays a root.
    }
    std::vector<double> rise(ball_.size(), 0.0);
    std::vector<std::size_t> roots(ball_.size());
    for (std::size_t k = 0; k < ball_.size(); ++k) roots[k] = find_root(k);
    for (std::size_t k = 0; k < ties_.size(); ++k) {
      const std::size_t one = roots[static_cast<std::size_t>(ties_[k].first)];
      const std::size_t two = ties_[k].second == GROUND ? ground : roots[static_cast<std::size_t>(ties_[k].second)];
      if (one == two) continue;
      if (one != ground) rise[one] += rises_[k];
      if (two != ground) rise[two] += rises_[k];
    }
    for (std::size_t root = 0; root < ball_.size(); ++root) {
      if (roots[root] != root || !(rise[root] < MOST_RISE_UNREFINED)) continue;
      keep(root, roots, rise[root], found);
    }
  }

  void keep(std::size_t root, const std::vector<std::size_t>& roots, double rise,
            std::map<std::vector<std::int32_t>, Candidate>& found) {
    std::vector<std::pair<std::int32_t, std::size_t>> members;
    double farthest = 0;
    for (std::size_t k = 0; k < ball_.size(); ++k) {
      if (roots[k] != root) continue;
      members.emplace_back(ball_[k], k);
      farthest = std::max(farthest, distance_between<D>(place(ball_[k]), images_[k].data()));
    }
    // Single sensors are MirrorImages'; a group that hardly moves is none.
    if (members.size() < 2 || farthest < LEAST_MOVE * graph_.mean_range()) return;
    std::sort(members.begin(), members.end());
    std::vector<std::int32_t> sensors;
    for (const auto& [sensor, k] : members) sensors.push_back(sensor);
    const auto at = found.find(sensors);
    if (at != found.end() && at->second.rise <= rise) return;
    Candidate candidate{rise, sensors, {}};
    for (const auto& [sensor, k] : members) {
      candidate.positions.insert(candidate.positions.end(), images_[k].begin(), images_[k].end());
    }
    found[sensors] = std::move(candidate);
  }

  static constexpr double LEAST_MOVE = 0.05;  // Of the mean range.

  const RangeGraph& graph_;
  const Loss loss_;
  const std::span<const double> points_;
  std::vector<std::int32_t> ball_;
  std::vector<std::int32_t> local_;
  std::vector<Tie> ties_;
  std::vector<std::size_t> parents_;
  std::vector<std::array<double, D>> images_;
  std::vector<double> rises_;
};

/// Descends from the mirrored places, the sensors around giving way.
template <int D>
MirroredGroup refined(const RangeGraph& graph, const Loss& loss, std::span<const double> points,
                      const Candidate& candidate) {
  Patch<D> patch(graph, loss);
  MirroredGroup result;
  result.group = candidate.sensors.size();
  result.sensors = patch.around(candidate.sensors, candidate.sensors.size() + AROUND);
  const RangeGraph part(graph, result.sensors, points);
  std::vector<double> here = Patch<D>::positions_of(result.sensors, points);
  result.positions = here;
  std::copy(candidate.positions.begin(), candidate.positions.end(), result.positions.begin());
  const std::vector<double> places = part.points_at(here);
  BlockCholesky cholesky(part, places);
  LiftedFit<D> fit(part, loss, cholesky, places);
  const Pressing pressing{.penalty = 0, .max_steps = 50, .tolerance = 1e-6};
  const double cost = fit.descend(pressing, here);
  result.cost_difference = fit.descend(pressing, result.positions) - cost;
  double farthest = 0;
  for (std::size_t k = 0; k < result.group; ++k) {
    farthest = std::max(farthest, distance_between<D>(&here[k * D], &result.positions[k * D]));
  }
  if (farthest < 0.02 * graph.mean_range()) result.group = 0;  // It fell back.
  return result;
}

void append(const Candidate& candidate, std::vector<double>& list) {
  list.push_back(candidate.rise);
  list.push_back(static_cast<double>(candidate.sensors.size()));
  list.insert(list.end(), candidate.sensors.begin(), candidate.sensors.end());
  list.insert(list.end(), candidate.positions.begin(), candidate.positions.end());
}

std::vector<Candidate> read_candidates(const std::vector<double>& list, std::size_t dimension) {
  std::map<std::vector<std::int32_t>, Candidate> found;
  for (std::size_t at = 0; at < list.size();) {
    const auto count = static_cast<std::size_t>(list[at + 1]);
    Candidate candidate{list[at], {}, {}};
    for (std::size_t k = 0; k < count; ++k) {
      candidate.sensors.push_back(static_cast<std::int32_t>(list[at + 2 + k]));
    }
    const auto first = list.begin() + static_cast<std::ptrdiff_t>(at + 2 + count);
    candidate.positions.assign(first, first + static_cast<std::ptrdiff_t>(count * dimension));
    at += 2 + count * (1 + dimension);
    const auto known = found.find(candidate.sensors);
    if (known == found.end() || candidate.rise < known->second.rise) found[candidate.sensors] = candidate;
  }
  std::vector<Candidate> all;
  for (auto& [sensors, candidate] : found) all.push_back(std::move(candidate));
  std::stable_sort(all.begin(), all.end(), [](const Candidate& a, const Candidate& b) { return a.rise < b.rise; });
  return all;
}

template <int D>
std::vector<MirroredGroup> mirrored_in(const RangeGraph& graph, const SensorSlices& slices, const Loss& loss,
                                       std::span<const double> points, double most_rise) {
  Mirrors<D> mirrors(graph, loss, points);
  std::map<std::vector<std::int32_t>, Candidate> found;
  for (std::int32_t sensor = slices.begin(); sensor < slices.end(); ++sensor) mirrors.find(sensor, found);
  std::vector<double> own;
  for (const auto& [sensors, candidate] : found) append(candidate, own);
  std::vector<Candidate> candidates = read_candidates(slices.gather_lists(own), D);
  const std::size_t most = MOST_REFINED * (1 + static_cast<std::size_t>(graph.sensors()) / WHOLE);
  if (candidates.size() > most) candidates.resize(most);
  std::vector<MirroredGroup> groups;
  for (const Candidate& candidate : candidates) {
    MirroredGroup group = refined<D>(graph, loss, points, candidate);
    if (group.group > 0 && group.cost_difference < most_rise) groups.push_back(std::move(group));
  }
  std::stable_sort(groups.begin(), groups.end(), [](const MirroredGroup& a, const MirroredGroup& b) {
    return a.cost_difference < b.cost_difference;
  });
  return groups;
}

}  // namespace

std::vector<MirroredGroup> mirrored_groups(const RangeGraph& graph, const SensorSlices& slices, const Loss& loss,
                                           std::span<const double> points, double most_rise) {
  return graph.dimension() == 2 ? mirrored_in<2>(graph, slices, loss, points, most_rise)
                                : mirrored_in<3>(graph, slices, loss, points, most_rise);
}

}  // namespace lockstep::splitting

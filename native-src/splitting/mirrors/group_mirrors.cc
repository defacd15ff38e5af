#include "splitting/mirrors/group_mirrors.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "splitting/factorisation/block_cholesky.h"
#include "splitting/mirrors/mirror_candidates.h"
#include "splitting/portfolio/lifted_fit.h"
#include "splitting/refinement/patch.h"

namespace lockstep::splitting {
namespace {

constexpr double MOST_RISE_ALIGNED = 2000;  // Before the sensors around a group give way.
constexpr std::size_t MOST_REFINED =
    24;  // Candidates, the cheapest, of a network of up to SENSORS_EACH sensors.
constexpr std::size_t SENSORS_EACH = 400;
constexpr std::size_t AROUND = 60;  // Sensors that give way to a group.
constexpr double ENOUGH = 2e-3;  // In the cost, whose differences of less than 0.5 tell no two places apart.
constexpr double LEAST_MOVE = 0.02;  // Of the mean range: less is the place where the group was.

/// Descends from the mirrored places, the sensors around giving way.
template <int D>
MirroredGroup refined(const RangeGraph& graph, const Loss& loss, std::span<const double> points,
                      const MirrorCandidate& candidate, double most_rise) {
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
  Pressing pressing{.max_steps = 50, .tolerance = 0, .enough = ENOUGH};
  const double cost = fit.descend(pressing, here);
  pressing.goal = cost + most_rise;
  result.cost_difference = fit.descend(pressing, result.positions) - cost;
  double farthest = 0;
  for (std::size_t k = 0; k < result.group; ++k) {
    farthest = std::max(farthest, distance_between<D>(&here[k * D], &result.positions[k * D]));
  }
  if (farthest < LEAST_MOVE * graph.mean_range()) result.group = 0;  // It fell back.
  return result;
}

/// Lists that ranks gather: cost, sensors in the group, sensors in all, sensors, positions; once more …
void append(double cost, std::size_t group, const std::vector<std::int32_t>& sensors,
            const std::vector<double>& positions, std::vector<double>& list) {
  list.push_back(cost);
  list.push_back(static_cast<double>(group));
  list.push_back(static_cast<double>(sensors.size()));
  list.insert(list.end(), sensors.begin(), sensors.end());
  list.insert(list.end(), positions.begin(), positions.end());
}

std::vector<MirroredGroup> read(const std::vector<double>& list, int dimension) {
  std::vector<MirroredGroup> groups;
  for (auto at = list.begin(); at != list.end();) {
    MirroredGroup group{at[0], static_cast<std::size_t>(at[1]), {}, {}};
    const auto first = at + 3;
    const auto last = first + static_cast<std::ptrdiff_t>(at[2]);
    for (auto sensor = first; sensor != last; ++sensor)
      group.sensors.push_back(static_cast<std::int32_t>(*sensor));
    at = last + (last - first) * dimension;
    group.positions.assign(last, at);
    groups.push_back(std::move(group));
  }
  return groups;
}

/// Whether the group is elsewhere than in `points`: many a mirrored group turns back.
bool has_moved(const MirrorCandidate& candidate, std::span<const double> points, const RangeGraph& graph) {
  const auto d = static_cast<std::size_t>(graph.dimension());
  for (std::size_t k = 0; k < candidate.positions.size(); ++k) {
    const double before = points[static_cast<std::size_t>(candidate.sensors[k / d]) * d + k % d];
    if (std::abs(candidate.positions[k] - before) > LEAST_MOVE * graph.mean_range()) return true;
  }
  return false;
}

/// Of all ranks' mirrors, not yet aligned: which of two mirrors of a group is kept must not depend on who
/// found them.
std::vector<MirrorCandidate> candidates_of_all(Communicator& ranks, const RangeGraph& graph,
                                               const SensorSlices& slices, const Loss& loss,
                                               std::span<const double> points) {
  std::vector<double> own;
  for (const auto& [sensors, candidate] :
       mirror_candidates(graph, loss, points, ranks.rank(), ranks.size())) {
    append(candidate.rise, sensors.size(), sensors, candidate.positions, own);
  }
  MirrorCandidates all;
  for (MirroredGroup& group : read(slices.gather_lists(own), graph.dimension())) {
    add({group.cost_difference, std::move(group.sensors), std::move(group.positions)}, all);
  }
  std::vector<MirrorCandidate> candidates = mirrored_networks(graph, points);
  for (auto& [sensors, candidate] : all) candidates.push_back(std::move(candidate));
  return candidates;
}

/// The cheapest candidates of all ranks, aligned.
std::vector<MirrorCandidate> cheapest_candidates(Communicator& ranks, const RangeGraph& graph,
                                                 const SensorSlices& slices, const Loss& loss,
                                                 std::span<const double> points) {
  std::vector<double> own;
  std::size_t turn = 0;
  for (MirrorCandidate& candidate : candidates_of_all(ranks, graph, slices, loss, points)) {
    if (static_cast<int>(turn++ % static_cast<std::size_t>(ranks.size())) != ranks.rank()) continue;
    align(graph, loss, points, candidate);
    if (candidate.rise < MOST_RISE_ALIGNED && has_moved(candidate, points, graph))
      append(candidate.rise, candidate.sensors.size(), candidate.sensors, candidate.positions, own);
  }
  std::vector<MirrorCandidate> sorted;
  for (MirroredGroup& group : read(slices.gather_lists(own), graph.dimension())) {
    sorted.push_back({group.cost_difference, std::move(group.sensors), std::move(group.positions)});
  }
  std::sort(sorted.begin(), sorted.end(), [](const MirrorCandidate& a, const MirrorCandidate& b) {
    return std::tie(a.rise, a.sensors, a.positions) < std::tie(b.rise, b.sensors, b.positions);
  });
  const std::size_t most = MOST_REFINED * (1 + static_cast<std::size_t>(graph.sensors()) / SENSORS_EACH);
  if (sorted.size() > most) sorted.resize(most);
  return sorted;
}

template <int D>
std::vector<MirroredGroup> mirrored_in(Communicator& ranks, const RangeGraph& graph,
                                       const SensorSlices& slices, const Loss& loss,
                                       std::span<const double> points, double most_rise) {
  std::vector<double> own;
  int turn = 0;
  for (const MirrorCandidate& candidate : cheapest_candidates(ranks, graph, slices, loss, points)) {
    if (turn++ % ranks.size() != ranks.rank()) continue;
    const MirroredGroup group = refined<D>(graph, loss, points, candidate, most_rise);
    if (group.group > 0 && group.cost_difference < most_rise) {
      append(group.cost_difference, group.group, group.sensors, group.positions, own);
    }
  }
  std::vector<MirroredGroup> groups = read(slices.gather_lists(own), D);
  // Ranks take turns, so that the order depends on their number. Mirrors of the whole network in different
  // axes have the same sensors, and the same cost where the anchors lie on an axis.
  std::sort(groups.begin(), groups.end(), [](const MirroredGroup& a, const MirroredGroup& b) {
    return std::tie(a.cost_difference, a.group, a.sensors, a.positions) <
           std::tie(b.cost_difference, b.group, b.sensors, b.positions);
  });
  return groups;
}

}  // namespace

std::vector<MirroredGroup> mirrored_groups(Communicator& ranks, const RangeGraph& graph,
                                           const SensorSlices& slices, const Loss& loss,
                                           std::span<const double> points, double most_rise) {
  return graph.dimension() == 2 ? mirrored_in<2>(ranks, graph, slices, loss, points, most_rise)
                                : mirrored_in<3>(ranks, graph, slices, loss, points, most_rise);
}

}  // namespace lockstep::splitting

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "splitting/mirrors/group_mirrors.h"
#include "splitting/mirrors/mirror_images.h"
#include "splitting/network/sensor_slices.h"
#include "splitting/refinement/refinement.h"

namespace lockstep::splitting {
namespace {

// The cost is the negative logarithm of the likelihood, so that twice its rise is χ² with as many degrees of
// freedom as a place has coordinates: what rises by less than half of the quantile for 99 % is not ruled out.
template <int D>
constexpr double MOST_RISE = D == 2 ? 4.605 : 5.672;
// Sensors that may give way to a mirror image. A larger patch can only lower its cost, and hardly does.
constexpr std::size_t PATCH = 40;

// Larger networks are not searched for groups, which would take longer than all the rest.
constexpr std::int32_t MOST_FOR_GROUPS = 3000;
// Of the mean range: sensors of a group that stay within are not ambiguous, though others of it are.
constexpr double LEAST_MOVE = 0.1;

using BySensor = std::map<std::int32_t, Ambiguity>;

template <int D>
void add_single_sensors(const RangeGraph& graph, const SensorSlices& slices, const Loss& loss,
                        std::span<const double> points, BySensor& ambiguous) {
  MirrorImages<D> images(graph, loss, PATCH);
  std::vector<double> own;  // Sensor, alternative, difference; once more …
  for (std::int32_t sensor = slices.begin(); sensor < slices.end(); ++sensor) {
    const MirrorImage image = images.find(sensor, points);
    if (!(image.cost_difference < MOST_RISE<D>)) continue;
    own.push_back(sensor);
    own.insert(own.end(), image.positions.begin(), image.positions.begin() + D);
    own.push_back(image.cost_difference);
  }
  const std::vector<double> all = slices.gather_lists(own);
  for (auto at = all.begin(); at != all.end(); at += D + 2) {
    const auto sensor = static_cast<std::int32_t>(at[0]);
    ambiguous.insert({sensor, {sensor, {at + 1, at + 1 + D}, at[D + 1]}});
  }
}

/// The cheapest group first, so that a sensor of several gets its place in the most likely one.
template <int D>
void add_groups(Communicator& ranks, const RangeGraph& graph, const SensorSlices& slices, const Loss& loss,
                std::span<const double> points, BySensor& ambiguous) {
  for (const MirroredGroup& mirrored : mirrored_groups(ranks, graph, slices, loss, points, MOST_RISE<D>)) {
    for (std::size_t k = 0; k < mirrored.group; ++k) {
      const std::int32_t sensor = mirrored.sensors[k];
      const double* place = &mirrored.positions[k * D];
      const double moved = distance_between<D>(place, &points[static_cast<std::size_t>(sensor) * D]);
      if (moved < LEAST_MOVE * graph.mean_range()) continue;
      ambiguous.insert({sensor, {sensor, {place, place + D}, mirrored.cost_difference}});
    }
  }
}

/// The places of other folds, the likeliest fold first.
template <int D>
void add_folds(const RangeGraph& graph, std::span<const Fold> others, std::span<const double> points,
               BySensor& ambiguous) {
  std::vector<const Fold*> sorted;
  for (const Fold& fold : others) {
    if (fold.cost < MOST_RISE<D>) sorted.push_back(&fold);
  }
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Fold* a, const Fold* b) { return a->cost < b->cost; });
  for (const Fold* fold : sorted) {
    for (std::int32_t sensor = 0; sensor < graph.sensors(); ++sensor) {
      const double* place = &fold->positions[static_cast<std::size_t>(sensor) * D];
      const double moved = distance_between<D>(place, &points[static_cast<std::size_t>(sensor) * D]);
      if (moved < LEAST_MOVE * graph.mean_range()) continue;
      ambiguous.insert({sensor, {sensor, {place, place + D}, fold->cost}});
    }
  }
}

template <int D>
std::vector<Ambiguity> find_in(Communicator& group, const Network& network, const RefinementOptions& options,
                               std::span<const double> positions, std::span<const Fold> others) {
  RangeGraph graph(network, options.noise_factor);
  const SensorSlices slices(group, network.sensors);
  const std::vector<double> points = graph.points_at(positions);
  graph.weigh_by(points);
  BySensor found;
  add_single_sensors<D>(graph, slices, Loss{options.huber}, points, found);
  if (network.sensors <= MOST_FOR_GROUPS)
    add_groups<D>(group, graph, slices, Loss{options.huber}, points, found);
  add_folds<D>(graph, others, points, found);
  std::vector<Ambiguity> ambiguous;
  for (auto& [sensor, ambiguity] : found) ambiguous.push_back(std::move(ambiguity));
  return ambiguous;
}

}  // namespace

std::vector<Ambiguity> find_ambiguous(Communicator& group, const Network& network,
                                      const RefinementOptions& options, std::span<const double> positions,
                                      std::span<const Fold> others) {
  return network.dimension == 2 ? find_in<2>(group, network, options, positions, others)
                                : find_in<3>(group, network, options, positions, others);
}

}  // namespace lockstep::splitting

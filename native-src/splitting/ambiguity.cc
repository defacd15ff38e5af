#include <vector>

#include "splitting/mirror_images.h"
#include "splitting/refinement.h"
#include "splitting/sensor_slices.h"

namespace lockstep::splitting {
namespace {

// The cost is the negative logarithm of the likelihood: what costs less than this more is at least e⁻³, or
// one twentieth, as likely as the estimate, and the usual level of 5 % does not rule it out.
constexpr double MOST_RISE = 3;
// Sensors that may give way to a mirror image. A larger patch can only lower its cost, and hardly does.
constexpr std::size_t PATCH = 40;

template <int D>
std::vector<Ambiguity> find_in(Communicator& group, const Network& network, const RefinementOptions& options,
                               std::span<const double> positions) {
  RangeGraph graph(network, options.noise_factor);
  const SensorSlices slices(group, network.sensors);
  const std::vector<double> points = graph.points_at(positions);
  graph.weigh_by(points);
  MirrorImages<D> images(graph, Loss{options.huber}, PATCH);
  std::vector<double> own;  // Sensor, alternative, difference; once more …
  for (std::int32_t sensor = slices.begin(); sensor < slices.end(); ++sensor) {
    const MirrorImage image = images.find(sensor, points);
    if (!(image.cost_difference < MOST_RISE)) continue;
    own.push_back(sensor);
    own.insert(own.end(), image.positions.begin(), image.positions.begin() + D);
    own.push_back(image.cost_difference);
  }
  const std::vector<double> all = slices.gather_lists(own);
  std::vector<Ambiguity> ambiguous;
  for (auto at = all.begin(); at != all.end(); at += D + 2) {
    ambiguous.push_back({static_cast<std::int32_t>(at[0]), {at + 1, at + 1 + D}, at[D + 1]});
  }
  return ambiguous;
}

}  // namespace

std::vector<Ambiguity> find_ambiguous(Communicator& group, const Network& network,
                                      const RefinementOptions& options, std::span<const double> positions) {
  return network.dimension == 2 ? find_in<2>(group, network, options, positions)
                                : find_in<3>(group, network, options, positions);
}

}  // namespace lockstep::splitting

#include "splitting/mirrors/flips.h"

#include <algorithm>
#include <vector>

#include "splitting/mirrors/mirror_images.h"

namespace lockstep::splitting {
namespace {

constexpr std::size_t PATCH = 24;  // Sensors that give way to one that changes sides, with it.
// Of two sides that the ranges hardly tell apart, the start, which others may have found from more, stays: it
// takes a likelihood e times higher to change it. find_ambiguous() tells of both.
constexpr double LEAST_GAIN = 1;

/// A MirrorImage among the numbers that ranks gather: gain, count, sensors, positions.
struct Proposal {
  double gain;
  std::span<const double> sensors;
  std::span<const double> positions;
};

void append(const MirrorImage& image, std::vector<double>& list) {
  list.push_back(-image.cost_difference);
  list.push_back(static_cast<double>(image.sensors.size()));
  list.insert(list.end(), image.sensors.begin(), image.sensors.end());
  list.insert(list.end(), image.positions.begin(), image.positions.end());
}

std::vector<Proposal> read(std::span<const double> list, std::size_t dimension) {
  std::vector<Proposal> proposals;
  while (!list.empty()) {
    const auto count = static_cast<std::size_t>(list[1]);
    proposals.push_back({list[0], list.subspan(2, count), list.subspan(2 + count, count * dimension)});
    list = list.subspan(2 + count * (1 + dimension));
  }
  return proposals;
}

}  // namespace

template <int D>
std::int32_t flip(const RangeGraph& graph, const SensorSlices& slices, const Loss& loss,
                  std::span<double> points, std::vector<char>& candidates) {
  MirrorImages<D> images(graph, loss, PATCH);
  std::vector<double> own;
  for (std::int32_t sensor = slices.begin(); sensor < slices.end(); ++sensor) {
    if (candidates[static_cast<std::size_t>(sensor)] == 0) continue;
    const MirrorImage image = images.find(sensor, points);
    if (image.cost_difference < -LEAST_GAIN) append(image, own);
  }
  const std::vector<double> all = slices.gather_lists(own);
  std::vector<Proposal> proposals = read(all, D);
  std::sort(proposals.begin(), proposals.end(), [](const Proposal& a, const Proposal& b) {
    return a.gain > b.gain || (a.gain == b.gain && a.sensors[0] < b.sensors[0]);
  });
  // Ranges between two patches would change by what neither has counted.
  std::vector<char> is_near(candidates.size(), 0);
  auto is_near_one = [&](double sensor) { return is_near[static_cast<std::size_t>(sensor)] != 0; };
  std::fill(candidates.begin(), candidates.end(), 0);
  std::int32_t flips = 0;
  for (const Proposal& proposal : proposals) {
    for (const double sensor : proposal.sensors) candidates[static_cast<std::size_t>(sensor)] = 1;
    if (std::any_of(proposal.sensors.begin(), proposal.sensors.end(), is_near_one)) continue;
    ++flips;
    for (std::size_t k = 0; k < proposal.sensors.size(); ++k) {
      const auto sensor = static_cast<std::int32_t>(proposal.sensors[k]);
      is_near[static_cast<std::size_t>(sensor)] = 1;
      for (const RangeEnd& end : graph.ends_of(sensor)) {
        if (graph.is_sensor(end.point)) is_near[static_cast<std::size_t>(end.point)] = 1;
      }
      std::copy_n(&proposal.positions[k * D], D, &points[static_cast<std::size_t>(sensor) * D]);
    }
  }
  for (std::size_t k = 0; k < candidates.size(); ++k) candidates[k] |= is_near[k];
  return flips;
}

template std::int32_t flip<2>(const RangeGraph&, const SensorSlices&, const Loss&, std::span<double>,
                              std::vector<char>&);
template std::int32_t flip<3>(const RangeGraph&, const SensorSlices&, const Loss&, std::span<double>,
                              std::vector<char>&);

}  // namespace lockstep::splitting

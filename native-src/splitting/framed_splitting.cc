#include "splitting/framed_splitting.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace lockstep::splitting {
namespace {

/// Of the longest side and of the distance from the origin.
constexpr double MUCH = 10;

}  // namespace

Frame Frame::of(const Network& network) {
  const auto d = static_cast<std::size_t>(network.dimension);
  const std::vector<double>& anchors = network.anchor_positions;
  Frame own{.origin = std::vector<double>(d, 0.0)};
  Frame frame = own;
  double longest = 0;
  double farthest = 0;
  for (std::size_t c = 0; c < d && !anchors.empty(); ++c) {
    double least = anchors[c];
    double most = anchors[c];
    for (std::size_t k = c; k < anchors.size(); k += d) {
      least = std::min(least, anchors[k]);
      most = std::max(most, anchors[k]);
    }
    frame.origin[c] = least + (most - least) / 2;
    longest = std::max(longest, most - least);
    farthest = std::max(farthest, std::abs(frame.origin[c]));
  }
  if (longest == 0 || (longest < MUCH && longest > 1 / MUCH && farthest < MUCH)) return own;
  frame.unit = longest;
  return frame;
}

bool Frame::is_callers() const {
  return unit == 1 && std::all_of(origin.begin(), origin.end(), [](double c) { return c == 0; });
}

Network Frame::enter(Network network) const {
  enter(network.anchor_positions);
  for (SensorRange& range : network.sensor_ranges) range.range /= unit;
  for (AnchorRange& range : network.anchor_ranges) range.range /= unit;
  return network;
}

void Frame::enter(std::span<double> positions) const {
  for (std::size_t k = 0; k < positions.size(); ++k) {
    positions[k] = (positions[k] - origin[k % origin.size()]) / unit;
  }
}

void Frame::leave(std::span<double> positions) const {
  for (std::size_t k = 0; k < positions.size(); ++k) {
    positions[k] = positions[k] * unit + origin[k % origin.size()];
  }
}

FramedSplitting::FramedSplitting(Frame frame, std::unique_ptr<Splitting> inner)
    : frame_(std::move(frame)), inner_(std::move(inner)) {}

void FramedSplitting::start(std::span<const double> positions) {
  std::vector<double> inside(positions.begin(), positions.end());
  frame_.enter(inside);
  inner_->start(inside);
}

Progress FramedSplitting::advance(std::int64_t iterations) {
  Progress progress = inner_->advance(iterations);
  progress.objective *= frame_.unit * frame_.unit;
  return progress;
}

void FramedSplitting::replace(const Network& network, std::span<const std::int32_t> kept,
                              std::span<const double> positions) {
  std::vector<double> inside(positions.begin(), positions.end());
  frame_.enter(inside);
  inner_->replace(frame_.enter(network), kept, inside);
}

void FramedSplitting::positions(std::span<double> out) {
  inner_->positions(out);
  frame_.leave(out);
}

void FramedSplitting::excess(std::span<double> out) {
  inner_->excess(out);
  for (double& square : out) square *= frame_.unit * frame_.unit;
}

double FramedSplitting::mean_objective() { return inner_->mean_objective() * frame_.unit * frame_.unit; }

}  // namespace lockstep::splitting

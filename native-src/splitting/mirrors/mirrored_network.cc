#include <numeric>
#include <utility>
#include <vector>

#include "splitting/factorisation/small_eigen.h"
#include "splitting/mirrors/mirror_candidates.h"

namespace lockstep::splitting {
namespace {

std::vector<double> mean_of(std::span<const double> points, std::size_t d) {
  std::vector<double> mean(d, 0.0);
  for (std::size_t k = 0; k < points.size(); ++k) mean[k % d] += points[k];
  for (double& coordinate : mean) coordinate /= static_cast<double>(points.size() / d);
  return mean;
}

/// The columns are the axes.
Dense principal_axes(std::span<const double> points, const std::vector<double>& mean) {
  const std::size_t d = mean.size();
  Dense scatter(d, d);
  for (std::size_t at = 0; at < points.size(); at += d) {
    for (std::size_t i = 0; i < d; ++i) {
      for (std::size_t j = 0; j < d; ++j)
        scatter(i, j) += (points[at + i] - mean[i]) * (points[at + j] - mean[j]);
    }
  }
  return symmetric_eigen(std::move(scatter)).vectors;
}

}  // namespace

std::vector<MirrorCandidate> mirrored_networks(const RangeGraph& graph, std::span<const double> points) {
  const auto d = static_cast<std::size_t>(graph.dimension());
  const auto coordinates = static_cast<std::size_t>(graph.sensors()) * d;
  const std::span<const double> anchors = points.subspan(coordinates);
  const std::vector<double> mean = mean_of(anchors, d);
  const Dense axes = principal_axes(anchors, mean);
  std::vector<std::int32_t> sensors(static_cast<std::size_t>(graph.sensors()));
  std::iota(sensors.begin(), sensors.end(), 0);
  std::vector<MirrorCandidate> candidates;
  for (unsigned mirrored = 1; mirrored < 1U << d; ++mirrored) {
    MirrorCandidate candidate{0, sensors, {points.begin(), points.end() - std::ssize(anchors)}};
    for (std::size_t axis = 0; axis < d; ++axis) {
      if ((mirrored >> axis & 1U) == 0) continue;
      for (std::size_t at = 0; at < coordinates; at += d) {
        double height = 0;
        for (std::size_t i = 0; i < d; ++i) height += (candidate.positions[at + i] - mean[i]) * axes(i, axis);
        for (std::size_t i = 0; i < d; ++i) candidate.positions[at + i] -= 2 * height * axes(i, axis);
      }
    }
    candidates.push_back(std::move(candidate));
  }
  return candidates;
}

}  // namespace lockstep::splitting

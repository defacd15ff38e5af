/// How long refinement, covariances and the search for mirror images take, on one core:
///
///     refinement_benchmark [SENSORS...]
///
/// Sensors uniform in the unit square (drawn again where they have fewer than 4 references), one anchor for
/// 20 of them, a reach for 10 neighbours, 5 % noise. The start is off by a fifth of the reach in each
/// coordinate, about what 200 iterations of the splitting leave.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <numbers>
#include <random>
#include <vector>

#include "collective/backend/single_backend.h"
#include "splitting/refinement/refinement.h"

namespace lockstep::splitting {
namespace {

constexpr int LEAST_REFERENCES = 4;

/// Points of the unit square in cells as wide as the reach.
class Field {
 public:
  Field(std::size_t points, double reach, std::uint64_t seed)
      : reach_(reach), cells_(std::max(1, static_cast<int>(1 / reach))), engine_(seed), places_(2 * points) {
    for (double& place : places_) place = uniform_(engine_);
    sort_into_cells();
  }

  const double* place(std::size_t point) const { return &places_[2 * point]; }
  double distance(std::size_t a, std::size_t b) const {
    return std::hypot(place(a)[0] - place(b)[0], place(a)[1] - place(b)[1]);
  }

  template <typename Visit>
  void visit_neighbors(std::size_t point, const Visit& visit) const {
    const int column = cell(place(point)[0]);
    const int row = cell(place(point)[1]);
    for (int y = std::max(row - 1, 0); y <= std::min(row + 1, cells_ - 1); ++y) {
      for (int x = std::max(column - 1, 0); x <= std::min(column + 1, cells_ - 1); ++x) {
        for (const std::size_t other : members_[static_cast<std::size_t>(y * cells_ + x)]) {
          if (other != point && distance(point, other) < reach_) visit(other);
        }
      }
    }
  }

  /// Draws the sensors with too few references again, until there are none.
  void settle(std::size_t sensors) {
    for (bool has_moved = true; has_moved; sort_into_cells()) {
      has_moved = false;
      for (std::size_t sensor = 0; sensor < sensors; ++sensor) {
        int references = 0;
        visit_neighbors(sensor, [&](std::size_t) { ++references; });
        if (references >= LEAST_REFERENCES) continue;
        has_moved = true;
        places_[2 * sensor] = uniform_(engine_);
        places_[2 * sensor + 1] = uniform_(engine_);
      }
    }
  }

 private:
  int cell(double coordinate) const { return std::min(static_cast<int>(coordinate * cells_), cells_ - 1); }

  void sort_into_cells() {
    members_.assign(static_cast<std::size_t>(cells_ * cells_), {});
    for (std::size_t point = 0; 2 * point < places_.size(); ++point) {
      members_[static_cast<std::size_t>(cell(place(point)[1]) * cells_ + cell(place(point)[0]))].push_back(
          point);
    }
  }

  double reach_;
  int cells_;
  std::mt19937_64 engine_;
  std::uniform_real_distribution<double> uniform_;
  std::vector<double> places_;
  std::vector<std::vector<std::size_t>> members_;
};

Network measure(const Field& field, std::size_t sensors, std::size_t anchors, double noise) {
  std::mt19937_64 engine(2);
  std::normal_distribution<double> normal;
  Network network;
  network.sensors = static_cast<std::int32_t>(sensors);
  for (std::size_t anchor = sensors; anchor < sensors + anchors; ++anchor) {
    network.anchor_positions.insert(network.anchor_positions.end(), field.place(anchor),
                                    field.place(anchor) + 2);
  }
  for (std::size_t sensor = 0; sensor < sensors; ++sensor) {
    field.visit_neighbors(sensor, [&](std::size_t other) {
      if (other < sensor) return;
      const double range = std::abs(field.distance(sensor, other) * (1 + noise * normal(engine)));
      const auto first = static_cast<std::int32_t>(sensor);
      if (other < sensors) {
        network.sensor_ranges.push_back({first, static_cast<std::int32_t>(other), range});
      } else {
        network.anchor_ranges.push_back({first, static_cast<std::int32_t>(other - sensors), range});
      }
    });
  }
  return network;
}

double seconds_of(const auto& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void run(std::size_t sensors) {
  const std::size_t anchors = std::max<std::size_t>(sensors / 20, 3);
  const double reach = std::sqrt(10 / (std::numbers::pi * static_cast<double>(sensors + anchors)));
  Field field(sensors + anchors, reach, 1);
  field.settle(sensors);
  const Network network = measure(field, sensors, anchors, 0.05);
  std::mt19937_64 engine(3);
  std::normal_distribution<double> normal;
  std::vector<double> truth(field.place(0), field.place(0) + 2 * sensors);
  std::vector<double> positions = truth;
  for (double& coordinate : positions) coordinate += 0.2 * reach * normal(engine);

  Communicator group(std::make_unique<SingleBackend>(), 60);
  Refinement found;
  std::vector<double> blocks(4 * sensors);
  std::vector<Ambiguity> ambiguous;
  const double refinement = seconds_of([&] { found = refine(group, network, {}, positions); });
  const double covariance = seconds_of([&] { covariances(group, network, {}, positions, blocks); });
  const double search = seconds_of([&] { ambiguous = find_ambiguous(group, network, {}, positions); });
  double square = 0;
  for (std::size_t k = 0; k < truth.size(); ++k) {
    square += (positions[k] - truth[k]) * (positions[k] - truth[k]);
  }
  std::printf(
      "%7zu sensors, %7zu ranges: refine %7.2f s (%3d steps%s, RMSE %.3f reach), covariances %6.2f s, "
      "mirror images %6.2f s (%zu)\n",
      sensors, network.sensor_ranges.size() + network.anchor_ranges.size(), refinement, found.iterations,
      found.converged ? "" : ", not converged", std::sqrt(square / static_cast<double>(sensors)) / reach,
      covariance, search, ambiguous.size());
}

}  // namespace
}  // namespace lockstep::splitting

int main(int count, char** arguments) {
  std::vector<std::size_t> sizes;
  for (int k = 1; k < count; ++k) sizes.push_back(static_cast<std::size_t>(std::atoll(arguments[k])));
  if (sizes.empty()) sizes = {1'000, 10'000, 100'000};
  for (const std::size_t sensors : sizes) lockstep::splitting::run(sensors);
}

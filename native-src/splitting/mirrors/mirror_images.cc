#include "splitting/mirrors/mirror_images.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace lockstep::splitting {
namespace {

// While all others stay put, a mirror image may cost this much more and still be worth a joint fit.
constexpr double MOST_RISE_ALONE = 50;
constexpr std::size_t MOST_STARTS = 3;
constexpr double COSINE_OF_STARTS = 0.5;  // Starts are 60° apart.
// Places nearer than so many standard deviations of the closest range are the same.
constexpr double DEVIATIONS_APART = 2;

bool contains(std::span<const std::int32_t> group, std::int32_t point) {
  return std::find(group.begin(), group.end(), point) != group.end();
}

template <int D>
std::vector<std::array<double, D>> directions_all_around() {
  constexpr int COUNT = D == 2 ? 32 : 128;
  std::vector<std::array<double, D>> directions;
  for (int k = 0; k < COUNT; ++k) {
    if constexpr (D == 2) {
      const double angle = 2 * std::numbers::pi * k / COUNT;
      directions.push_back({std::cos(angle), std::sin(angle)});
    } else {  // A Fibonacci lattice on the sphere.
      const double z = 1 - (2 * k + 1.0) / COUNT;
      const double angle = 2 * std::numbers::pi * k / std::numbers::phi;
      const double flat = std::sqrt(1 - z * z);
      directions.push_back({flat * std::cos(angle), flat * std::sin(angle), z});
    }
  }
  return directions;
}

}  // namespace

template <int D>
MirrorImages<D>::MirrorImages(const RangeGraph& graph, const Loss& loss, std::size_t most_sensors)
    : graph_(graph),
      loss_(loss),
      most_sensors_(most_sensors),
      patch_(graph, loss),
      directions_(directions_all_around<D>()) {}

template <int D>
MirrorImage MirrorImages<D>::find(std::int32_t sensor, std::span<const double> points) {
  MirrorImage best = best_of(std::array{sensor}, points);
  const RangeEnd* closest = nullptr;
  for (const RangeEnd& end : graph_.ends_of(sensor)) {
    if (!graph_.is_sensor(end.point)) break;
    if (closest == nullptr || end.range < closest->range) closest = &end;
  }
  if (closest == nullptr) return best;
  MirrorImage of_pair = best_of(std::array{sensor, closest->point}, points);
  return of_pair.cost_difference < best.cost_difference ? std::move(of_pair) : std::move(best);
}

/// The group's first sensor looks for another place, and the others go with it.
template <int D>
MirrorImage MirrorImages<D>::best_of(std::span<const std::int32_t> group, std::span<const double> points) {
  MirrorImage best{std::numeric_limits<double>::infinity(), {}, {}};
  const RangeEnd* closest = closest_outside(group);
  if (closest == nullptr) return best;
  const std::vector<std::vector<double>> others = minima(group, *closest, points);
  if (others.empty()) return best;
  best.sensors = patch_.around(group, most_sensors_);
  const auto here = patch_.fit(best.sensors, Patch<D>::positions_of(best.sensors, points), points);
  for (const std::vector<double>& other : others) {
    std::vector<double> start = here.positions;
    std::copy(other.begin(), other.end(), start.begin());
    auto there = patch_.fit(best.sensors, std::move(start), points);
    const bool fell_back = distance_between<D>(there.positions.data(), here.positions.data()) <
                           DEVIATIONS_APART / closest->precision;
    if (fell_back || there.cost - here.cost >= best.cost_difference) continue;
    best.cost_difference = there.cost - here.cost;
    best.positions = std::move(there.positions);
  }
  return best;
}

/// Positions of the group at its other local minima while the rest stays.
template <int D>
std::vector<std::vector<double>> MirrorImages<D>::minima(std::span<const std::int32_t> group,
                                                         const RangeEnd& closest,
                                                         std::span<const double> points) {
  const std::vector<double> now = Patch<D>::positions_of(group, points);
  const auto here = patch_.fit(group, now, points);
  const double apart = DEVIATIONS_APART / closest.precision;
  std::vector<std::vector<double>> found;
  for (const Place& start : starts(group, closest, points)) {
    std::vector<double> moved = now;
    for (std::size_t k = 0; k < moved.size(); ++k) moved[k] += start[k % D] - now[k % D];
    auto fit = patch_.fit(group, std::move(moved), points);
    auto is_there = [&](const std::vector<double>& other) {
      return distance_between<D>(fit.positions.data(), other.data()) < apart;
    };
    if (fit.cost > here.cost + MOST_RISE_ALONE || is_there(here.positions)) continue;
    if (std::none_of(found.begin(), found.end(), is_there)) found.push_back(std::move(fit.positions));
  }
  return found;
}

/// The closest reference holds the sensor to a circle (sphere) about it: the best points of that which are
/// well apart.
template <int D>
std::vector<typename MirrorImages<D>::Place> MirrorImages<D>::starts(std::span<const std::int32_t> group,
                                                                     const RangeEnd& closest,
                                                                     std::span<const double> points) const {
  const double* center = &points[static_cast<std::size_t>(closest.point) * D];
  std::vector<std::pair<double, std::size_t>> samples;  // Cost, number of the direction
  std::vector<Place> places(directions_.size());
  for (std::size_t number = 0; number < directions_.size(); ++number) {
    Place& place = places[number];
    for (std::size_t k = 0; k < D; ++k) place[k] = center[k] + closest.range * directions_[number][k];
    double cost = 0;
    for (const RangeEnd& end : graph_.ends_of(group.front())) {
      if (contains(group, end.point)) continue;
      const double* other = &points[static_cast<std::size_t>(end.point) * D];
      cost += loss_.cost((end.range - distance_between<D>(place.data(), other)) * end.precision);
    }
    samples.emplace_back(cost, number);
  }
  std::sort(samples.begin(), samples.end());
  std::vector<std::size_t> chosen;
  for (const auto& [cost, number] : samples) {
    const bool is_apart =
        std::none_of(chosen.begin(), chosen.end(), [&, &direction = directions_[number]](std::size_t other) {
          double cosine = 0;
          for (std::size_t k = 0; k < D; ++k) cosine += direction[k] * directions_[other][k];
          return cosine > COSINE_OF_STARTS;
        });
    if (is_apart) chosen.push_back(number);
    if (chosen.size() == MOST_STARTS) break;
  }
  std::vector<Place> result;
  for (const std::size_t number : chosen) result.push_back(places[number]);
  return result;
}

template <int D>
const RangeEnd* MirrorImages<D>::closest_outside(std::span<const std::int32_t> group) const {
  const RangeEnd* closest = nullptr;
  for (const RangeEnd& end : graph_.ends_of(group.front())) {
    if (contains(group, end.point)) continue;
    if (closest == nullptr || end.range < closest->range) closest = &end;
  }
  return closest;
}

template class MirrorImages<2>;
template class MirrorImages<3>;

}  // namespace lockstep::splitting

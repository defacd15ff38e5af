#include "lockstep/localization.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "jni/boundary.h"
#include "jni/communicators.h"
#include "jni/localizer.h"
#include "jni/network_arguments.h"

namespace lockstep {
namespace {

using gradient::Arguments;

/// @param number a code from Java, of an enum whose codes are 0 … last
template <typename Code>
Code code_of(const Arguments& arguments, const char* name, std::int32_t number, Code last) {
  if (number < 0 || number > static_cast<std::int32_t>(last)) {
    arguments.refuse(name, std::to_string(number),
                     "must be a code from 0 to " + std::to_string(static_cast<std::int32_t>(last)));
  }
  return static_cast<Code>(number);
}

std::size_t coordinates(const Localizer& localizer) {
  return static_cast<std::size_t>(localizer.sensors()) * static_cast<std::size_t>(localizer.dimension());
}

/// Positions that are read must be numbers, for nothing that follows would notice.
template <typename T>
std::span<T> positions_at(const Arguments& arguments, std::int64_t address, std::size_t count) {
  const auto positions = elements_at<T>(arguments, "positions", address, count);
  for (const double coordinate : positions) arguments.finite("a coordinate in positions", coordinate);
  return positions;
}

splitting::RefinementOptions refinement_options(const Arguments& arguments, double noise_factor,
                                                double huber) {
  arguments.finite_and_not_negative("noise_factor", noise_factor);
  arguments.finite_and_not_negative("huber", huber);
  splitting::RefinementOptions options;
  options.noise_factor = noise_factor;
  options.huber = huber;
  return options;
}

void check_kept(const Arguments& arguments, std::span<const std::int32_t> kept, std::int32_t sensors) {
  std::vector<bool> taken(static_cast<std::size_t>(sensors), false);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (kept[i] == -1) continue;
    if (kept[i] < -1 || kept[i] >= sensors || taken[static_cast<std::size_t>(kept[i])]) {
      arguments.refuse("kept", std::to_string(kept[i]) + " at " + std::to_string(i),
                       "must be -1 or, once each, a sensor of the network before");
    }
    taken[static_cast<std::size_t>(kept[i])] = true;
  }
}

}  // namespace

std::int64_t open_localizer(std::int64_t communicator, std::int32_t dimension, std::int64_t sensors,
                            std::int64_t anchors, std::int64_t anchor_positions, std::int64_t sensor_ranges,
                            std::int64_t sensor_pairs, std::int64_t sensor_distances,
                            std::int64_t sensor_deviations, std::int64_t anchor_ranges,
                            std::int64_t anchor_pairs, std::int64_t anchor_distances,
                            std::int64_t anchor_deviations, std::int64_t neighbor_offsets,
                            std::int64_t neighbors, std::int32_t most_neighbors) {
  return at_boundary([&] {
    std::shared_ptr<Communicator> group = communicators().find(communicator).share();
    return localizers().insert(std::make_shared<Localizer>(
        std::move(group),
        network_from(Arguments("open_localizer"),
                     {dimension, sensors, anchors, anchor_positions, sensor_ranges, sensor_pairs,
                      sensor_distances, sensor_deviations, anchor_ranges, anchor_pairs, anchor_distances,
                      anchor_deviations, neighbor_offsets, neighbors, most_neighbors})));
  });
}

void close_localizer(std::int64_t localizer) {
  at_boundary([&] {
    if (localizer == 0) return;
    if (localizers().remove(localizer, [](Localizer&) {}) == nullptr &&
        !localizers().was_given_out(localizer)) {
      localizers().refuse(localizer);
    }
  });
}

void start_localizer(std::int64_t localizer, std::int32_t form, std::int32_t design, std::int32_t prox,
                     double gamma, double alpha, double tolerance, bool stops_early,
                     std::int64_t user_weights, std::int64_t positions) {
  at_boundary([&] {
    const Arguments arguments("start_localizer");
    const auto open = localizers().find(localizer);
    splitting::Options options;
    options.form = code_of(arguments, "form", form, splitting::Form::DENSE);
    options.design = code_of(arguments, "design", design, splitting::Design::USER);
    options.prox = code_of(arguments, "prox", prox, splitting::ProxKind::INEXACT);
    options.gamma = gamma;
    options.alpha = alpha;
    options.tolerance = tolerance;
    options.stops_early = stops_early;
    if (options.design == splitting::Design::USER && options.form == splitting::Form::DENSE) {
      const auto sensors = static_cast<std::size_t>(open->sensors());
      const auto weights =
          elements_at<const double>(arguments, "user_weights", user_weights, sensors * sensors);
      options.user_weights.assign(weights.begin(), weights.end());
    }
    const std::size_t count = positions == 0 ? 0 : coordinates(*open);
    open->start(options, positions_at<const double>(arguments, positions, count));
  });
}

void advance_localizer(std::int64_t localizer, std::int64_t iterations, std::int64_t progress) {
  at_boundary([&] {
    const Arguments arguments("advance_localizer");
    const auto open = localizers().find(localizer);
    if (iterations < 0) {
      arguments.refuse("iterations", std::to_string(iterations), "must not be negative");
    }
    const auto out = elements_at<double>(arguments, "progress", progress, 4);
    const splitting::Progress now = open->advance(iterations);
    out[0] = static_cast<double>(now.iteration);
    out[1] = now.objective;
    out[2] = now.residual;
    out[3] = static_cast<double>(static_cast<std::int32_t>(now.stop));
  });
}

void read_positions(std::int64_t localizer, std::int64_t positions) {
  at_boundary([&] {
    const auto open = localizers().find(localizer);
    open->positions(
        elements_at<double>(Arguments("read_positions"), "positions", positions, coordinates(*open)));
  });
}

void read_relaxation_excess(std::int64_t localizer, std::int64_t excess) {
  at_boundary([&] {
    const auto open = localizers().find(localizer);
    open->excess(elements_at<double>(Arguments("read_relaxation_excess"), "excess", excess,
                                     static_cast<std::size_t>(open->sensors())));
  });
}

double read_mean_objective(std::int64_t localizer) {
  return at_boundary([&] { return localizers().find(localizer)->mean_objective(); });
}

void replace_network(std::int64_t localizer, std::int64_t sensors, std::int64_t anchors,
                     std::int64_t anchor_positions, std::int64_t sensor_ranges, std::int64_t sensor_pairs,
                     std::int64_t sensor_distances, std::int64_t sensor_deviations,
                     std::int64_t anchor_ranges, std::int64_t anchor_pairs, std::int64_t anchor_distances,
                     std::int64_t anchor_deviations, std::int64_t neighbor_offsets, std::int64_t neighbors,
                     std::int32_t most_neighbors, std::int64_t kept, std::int64_t positions) {
  at_boundary([&] {
    const Arguments arguments("replace_network");
    const auto open = localizers().find(localizer);
    splitting::Network network = network_from(
        arguments, {open->dimension(), sensors, anchors, anchor_positions, sensor_ranges, sensor_pairs,
                    sensor_distances, sensor_deviations, anchor_ranges, anchor_pairs, anchor_distances,
                    anchor_deviations, neighbor_offsets, neighbors, most_neighbors});
    const auto count = static_cast<std::size_t>(network.sensors);
    const auto numbers = elements_at<const std::int32_t>(arguments, "kept", kept, count);
    check_kept(arguments, numbers, open->sensors());
    const auto known =
        positions_at<const double>(arguments, positions, count * static_cast<std::size_t>(network.dimension));
    open->replace(std::move(network), numbers, known);
  });
}

void refine_positions(std::int64_t localizer, double noise_factor, double huber, std::int32_t max_iterations,
                      double tolerance, bool searches, std::int64_t positions, std::int64_t summary) {
  at_boundary([&] {
    const Arguments arguments("refine_positions");
    const auto open = localizers().find(localizer);
    splitting::RefinementOptions options = refinement_options(arguments, noise_factor, huber);
    arguments.at_least_one("max_iterations", max_iterations);
    arguments.finite_and_not_negative("tolerance", tolerance);
    options.max_iterations = max_iterations;
    options.tolerance = tolerance;
    options.searches = searches;
    const auto in_out = positions_at<double>(arguments, positions, coordinates(*open));
    const auto out = elements_at<double>(arguments, "summary", summary, 3);
    const splitting::Refinement result = open->refine(options, in_out);
    out[0] = result.cost;
    out[1] = result.iterations;
    out[2] = result.converged ? 1 : 0;
  });
}

void read_covariances(std::int64_t localizer, double noise_factor, double huber, std::int64_t positions,
                      std::int64_t covariances) {
  at_boundary([&] {
    const Arguments arguments("read_covariances");
    const auto open = localizers().find(localizer);
    const std::size_t count = coordinates(*open);
    open->covariances(refinement_options(arguments, noise_factor, huber),
                      positions_at<const double>(arguments, positions, count),
                      elements_at<double>(arguments, "covariances", covariances,
                                          count * static_cast<std::size_t>(open->dimension())));
  });
}

std::int64_t find_ambiguous_sensors(std::int64_t localizer, double noise_factor, double huber,
                                    std::int64_t positions, std::int64_t most, std::int64_t sensors,
                                    std::int64_t alternatives, std::int64_t cost_differences) {
  return at_boundary([&] {
    const Arguments arguments("find_ambiguous_sensors");
    const auto open = localizers().find(localizer);
    const auto dimension = static_cast<std::size_t>(open->dimension());
    const std::size_t room = length_of(arguments, "most", most);
    const auto numbers = elements_at<std::int32_t>(arguments, "sensors", sensors, room);
    const auto points = elements_at<double>(arguments, "alternatives", alternatives, room * dimension);
    const auto differences = elements_at<double>(arguments, "cost_differences", cost_differences, room);
    const std::vector<splitting::Ambiguity> found =
        open->find_ambiguous(refinement_options(arguments, noise_factor, huber),
                             positions_at<const double>(arguments, positions, coordinates(*open)));
    for (std::size_t k = 0; k < std::min(found.size(), room); ++k) {
      numbers[k] = found[k].sensor;
      std::copy(found[k].alternative.begin(), found[k].alternative.end(), points.begin() + k * dimension);
      differences[k] = found[k].cost_difference;
    }
    return static_cast<std::int64_t>(found.size());
  });
}

}  // namespace lockstep

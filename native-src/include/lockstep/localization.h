#pragma once

/// @file
/// Sensor-network localisation by matrix-parametrised proximal splitting: handles, addresses and lengths.
/// All calls are collective over the localizer's group unless they say otherwise, all ranks pass the same
/// values, and one thread at a time uses a localizer. Errors are those of run(); INVALID_ARGUMENT names what
/// is wrong.

#include <cstdint>

#include "lockstep/export.h"

namespace lockstep {

/// @param communicator the handle of a group; the localizer keeps it open
/// @param dimension d: 2 or 3
/// @param anchor_positions address of f64[anchors × d]
/// @param sensor_pairs address of i32[sensor_ranges × 2]
/// @param sensor_distances address of f64[sensor_ranges]
/// @param sensor_deviations address of f64[sensor_ranges], or 0: the part of each distance's standard
/// deviation that does not grow with the distance
/// @param anchor_pairs address of i32[anchor_ranges × 2]: sensor, anchor
/// @param anchor_distances address of f64[anchor_ranges]
/// @param anchor_deviations address of f64[anchor_ranges], or 0
/// @param neighbor_offsets address of i64[sensors + 1], or 0: the sensors' neighbours are chosen
/// @param neighbors address of i32[neighbor_offsets[sensors]]
/// @param most_neighbors of a sensor where they are chosen
/// @return a handle for close_localizer(). Nothing is kept of the addresses.
LOCKSTEP_API std::int64_t open_localizer(std::int64_t communicator, std::int32_t dimension,
                                         std::int64_t sensors, std::int64_t anchors,
                                         std::int64_t anchor_positions, std::int64_t sensor_ranges,
                                         std::int64_t sensor_pairs, std::int64_t sensor_distances,
                                         std::int64_t sensor_deviations, std::int64_t anchor_ranges,
                                         std::int64_t anchor_pairs, std::int64_t anchor_distances,
                                         std::int64_t anchor_deviations, std::int64_t neighbor_offsets,
                                         std::int64_t neighbors, std::int32_t most_neighbors);

/// Not collective; idempotent. Waits for a call that is running; closing the group ends that.
LOCKSTEP_API void close_localizer(std::int64_t localizer);

/// Sets up the iteration and starts it. @param form, design, prox as splitting::Form and so on
/// @param user_weights address of f64[sensors × sensors] for the user's design, otherwise 0
/// @param positions address of f64[sensors × d] for a warm start, or 0 for a cold one
LOCKSTEP_API void start_localizer(std::int64_t localizer, std::int32_t form, std::int32_t design,
                                  std::int32_t prox, double gamma, double alpha, double tolerance,
                                  bool stops_early, std::int64_t user_weights, std::int64_t positions);

/// Runs up to `iterations` more. @param progress address of f64[4], written: iteration, objective, residual,
/// reason of stopping (0 none, 1 tolerance, 2 early termination)
LOCKSTEP_API void advance_localizer(std::int64_t localizer, std::int64_t iterations, std::int64_t progress);

/// @param positions address of f64[sensors × d], written on every rank
LOCKSTEP_API void read_positions(std::int64_t localizer, std::int64_t positions);

/// Replaces the network. The sparse form keeps the duals of what remains, so that the iteration goes on warm;
/// the dense one starts anew from `positions`.
/// @param kept address of i32[sensors]: each sensor's number before, −1 for those that join
/// @param positions address of f64[sensors × d]: the last known ones, and a guess for those that join
LOCKSTEP_API void replace_network(std::int64_t localizer, std::int64_t sensors, std::int64_t anchors,
                                  std::int64_t anchor_positions, std::int64_t sensor_ranges,
                                  std::int64_t sensor_pairs, std::int64_t sensor_distances,
                                  std::int64_t sensor_deviations, std::int64_t anchor_ranges,
                                  std::int64_t anchor_pairs, std::int64_t anchor_distances,
                                  std::int64_t anchor_deviations, std::int64_t neighbor_offsets,
                                  std::int64_t neighbors, std::int32_t most_neighbors, std::int64_t kept,
                                  std::int64_t positions);

/// Refinement. @param searches for a fold of lower cost than the one that the start is in
/// @param positions address of f64[sensors × d], start and result
/// @param summary address of f64[3], written: cost, iterations, 1 where it converged
LOCKSTEP_API void refine_positions(std::int64_t localizer, double noise_factor, double huber,
                                   std::int32_t max_iterations, double tolerance, bool searches,
                                   std::int64_t positions, std::int64_t summary);

/// @param covariances address of f64[sensors × d × d], written; NaN where the ranges do not determine a
/// sensor
LOCKSTEP_API void read_covariances(std::int64_t localizer, double noise_factor, double huber,
                                   std::int64_t positions, std::int64_t covariances);

/// @param sensors address of i32[most], written: those that have a mirror image which fits as well
/// @param alternatives address of f64[most × d], written
/// @param cost_differences address of f64[most], written
/// @return how many there are; at most `most` are written
LOCKSTEP_API std::int64_t find_ambiguous_sensors(std::int64_t localizer, double noise_factor, double huber,
                                                 std::int64_t positions, std::int64_t most,
                                                 std::int64_t sensors, std::int64_t alternatives,
                                                 std::int64_t cost_differences);

/// @param excess address of f64[sensors], written on every rank: Y_ii − ‖X_i‖², 0 where the relaxation's
/// solution is of rank d around a sensor
LOCKSTEP_API void read_relaxation_excess(std::int64_t localizer, std::int64_t excess);

/// @return Σ g_i at the mean of the copies, which the paper's figures show; advance_localizer() reports Σ g_i
/// with each sensor on its own copy, which costs nothing
LOCKSTEP_API double read_mean_objective(std::int64_t localizer);

}  // namespace lockstep

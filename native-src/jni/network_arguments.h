#pragma once

#include <cstdint>
#include <span>

#include "gradient/arguments.h"
#include "splitting/network/network.h"

namespace lockstep {

/// A network as it crosses the JNI boundary: lengths and addresses, nothing of it checked; see
/// open_localizer().
struct NetworkArguments {
  std::int32_t dimension;
  std::int64_t sensors;
  std::int64_t anchors;
  std::int64_t anchor_positions;
  std::int64_t sensor_ranges;
  std::int64_t sensor_pairs;
  std::int64_t sensor_distances;
  std::int64_t sensor_deviations;
  std::int64_t anchor_ranges;
  std::int64_t anchor_pairs;
  std::int64_t anchor_distances;
  std::int64_t anchor_deviations;
  std::int64_t neighbor_offsets;
  std::int64_t neighbors;
  std::int32_t most_neighbors;
};

/// A length from Java. @throws Error INVALID_ARGUMENT unless 0 ≤ value < 2³¹
std::size_t length_of(const gradient::Arguments& arguments, const char* name, std::int64_t value);

/// The elements at an address. @throws Error INVALID_ARGUMENT for null where there are any
template <typename T>
std::span<T> elements_at(const gradient::Arguments& arguments, const char* name, std::int64_t address,
                         std::size_t count) {
  return {static_cast<T*>(arguments.address(name, address, static_cast<std::int64_t>(count))), count};
}

/// Copies the network and checks it. @throws Error INVALID_ARGUMENT
splitting::Network network_from(const gradient::Arguments& arguments, const NetworkArguments& raw);

}  // namespace lockstep

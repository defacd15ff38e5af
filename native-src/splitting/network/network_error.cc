#include "splitting/network/network_error.h"

#include <algorithm>

#include "lockstep/error.h"

namespace lockstep::splitting {

std::string named(std::span<const std::int32_t> sensors) {
  constexpr std::size_t MOST_NAMED = 5;
  const std::size_t count = std::min(sensors.size(), MOST_NAMED);
  std::string text = sensors.size() == 1 ? "sensor " : "sensors ";
  for (std::size_t i = 0; i < count; ++i) {
    const bool last = i > 0 && i + 1 == sensors.size();
    if (i > 0) text += last ? " and " : ", ";
    text += std::to_string(sensors[i]);
  }
  if (sensors.size() > count) text += " and " + std::to_string(sensors.size() - count) + " more";
  return text;
}

void refuse_network(const std::string& message) {
  throw Error(ErrorCode::INVALID_ARGUMENT, "The sensor network cannot be localised: " + message);
}

}  // namespace lockstep::splitting

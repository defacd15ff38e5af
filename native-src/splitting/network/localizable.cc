#include "splitting/network/localizable.h"

#include <algorithm>
#include <string>
#include <utility>

#include "splitting/network/disjoint_sets.h"
#include "splitting/network/network_error.h"

namespace lockstep::splitting {
namespace {

std::size_t at(std::int32_t index) { return static_cast<std::size_t>(index); }

void check_anchors(const Network& network) {
  const std::int32_t needed = network.dimension + 1;
  if (network.anchors() >= needed) return;
  refuse_network("it has too few anchors, " + std::to_string(network.anchors()) + ", and " +
                 std::to_string(network.dimension) + " dimensions need at least " + std::to_string(needed) +
                 ". Add anchors.");
}

/// For each part (by its root) how many different anchors its sensors have ranges to.
std::vector<std::int32_t> count_anchors(const Network& network, DisjointSets& parts) {
  std::vector<std::pair<std::int32_t, std::int32_t>> seen;
  seen.reserve(network.anchor_ranges.size());
  for (const AnchorRange& range : network.anchor_ranges) {
    seen.emplace_back(parts.find(range.sensor), range.anchor);
  }
  std::sort(seen.begin(), seen.end());
  seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
  std::vector<std::int32_t> counts(at(network.sensors), 0);
  for (const auto& [part, anchor] : seen) ++counts[at(part)];
  return counts;
}

[[noreturn]] void refuse_part(const Network& network, DisjointSets& parts, std::int32_t root,
                              std::int32_t anchors, std::int32_t others) {
  std::vector<std::int32_t> sensors;
  for (std::int32_t i = 0; i < network.sensors; ++i) {
    if (parts.find(i) == root) sensors.push_back(i);
  }
  const std::string needed = std::to_string(network.dimension + 1);
  const std::string has = anchors == 0 ? "no anchor" : "only " + std::to_string(anchors) + " of the anchors";
  if (parts.sets() == 1) {
    refuse_network("its sensors have ranges to " + has + ", and at least " + needed +
                   " are needed. Add ranges to anchors.");
  }
  refuse_network(named(sensors) + " (" + std::to_string(sensors.size()) +
                 " in all) form a disconnected part: it has ranges to " + has + " and to no other sensor" +
                 (others > 0 ? " (" + std::to_string(others) + " more such parts)" : "") +
                 ". Each part needs " + needed + " anchors; add ranges, or leave these sensors out.");
}

/// Sensors on their own are left to check_references().
void check_parts(const Network& network) {
  DisjointSets parts(network.sensors);
  for (const SensorRange& range : network.sensor_ranges) parts.join(range.first, range.second);
  const std::vector<std::int32_t> anchors = count_anchors(network, parts);
  std::vector<std::int32_t> sizes(at(network.sensors), 0);
  for (std::int32_t i = 0; i < network.sensors; ++i) ++sizes[at(parts.find(i))];
  std::int32_t first = -1;
  std::int32_t others = -1;
  for (std::int32_t i = 0; i < network.sensors; ++i) {
    if (parts.find(i) != i || sizes[at(i)] == 1 || anchors[at(i)] > network.dimension) continue;
    if (first < 0) first = i;
    ++others;
  }
  if (first >= 0) refuse_part(network, parts, first, anchors[at(first)], others);
}

/// Ranges between sensors in both directions, as compressed rows.
struct Adjacency {
  explicit Adjacency(const Network& network) : offsets(at(network.sensors) + 1, 0) {
    for (const SensorRange& range : network.sensor_ranges) {
      ++offsets[at(range.first) + 1];
      ++offsets[at(range.second) + 1];
    }
    for (std::size_t i = 1; i < offsets.size(); ++i) offsets[i] += offsets[i - 1];
    std::vector<std::size_t> next(offsets.begin(), offsets.end() - 1);
    targets.resize(offsets.back());
    for (const SensorRange& range : network.sensor_ranges) {
      targets[next[at(range.first)]++] = range.second;
      targets[next[at(range.second)]++] = range.first;
    }
  }

  std::vector<std::size_t> offsets;
  std::vector<std::int32_t> targets;
};

/// With fewer than d references a sensor can move freely, so that it is no reference for others either: they
/// are peeled off until all that are left have d.
void check_references(const Network& network) {
  const Adjacency adjacency(network);
  std::vector<std::int32_t> references(at(network.sensors), 0);
  for (const AnchorRange& range : network.anchor_ranges) ++references[at(range.sensor)];
  for (std::size_t i = 0; i < references.size(); ++i) {
    references[i] += static_cast<std::int32_t>(adjacency.offsets[i + 1] - adjacency.offsets[i]);
  }
  std::vector<std::int32_t> lost;
  for (std::int32_t i = 0; i < network.sensors; ++i) {
    if (references[at(i)] < network.dimension) lost.push_back(i);
  }
  for (std::size_t next = 0; next < lost.size(); ++next) {
    const std::size_t sensor = at(lost[next]);
    for (std::size_t k = adjacency.offsets[sensor]; k < adjacency.offsets[sensor + 1]; ++k) {
      const std::int32_t other = adjacency.targets[k];
      if (references[at(other)]-- == network.dimension) lost.push_back(other);
    }
  }
  if (lost.empty()) return;
  std::sort(lost.begin(), lost.end());
  refuse_network(named(lost) + (lost.size() == 1 ? " has" : " have") +
                 " too few references: a sensor needs ranges to at least " +
                 std::to_string(network.dimension) +
                 " anchors or sensors that can be located themselves. Add ranges, or leave " +
                 (lost.size() == 1 ? "it" : "them") + " out.");
}

}  // namespace

void check_localizable(const Network& network) {
  check_anchors(network);
  check_parts(network);
  check_references(network);
}

}  // namespace lockstep::splitting

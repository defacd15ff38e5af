#include "splitting/network/neighbors.h"

#include <algorithm>
#include <string>
#include <tuple>

#include "splitting/network/disjoint_sets.h"
#include "splitting/network/network_error.h"

namespace lockstep::splitting {
namespace {

std::size_t at(std::int32_t index) { return static_cast<std::size_t>(index); }

struct Candidate {
  double range;
  std::int32_t sensor;
  bool in_tree;
};

/// A row for each sensor of what it has ranges to, nearest first.
struct Candidates {
  std::vector<std::size_t> offsets;
  std::vector<Candidate> rows;

  std::span<const Candidate> of(std::size_t sensor) const {
    return std::span(rows).subspan(offsets[sensor], offsets[sensor + 1] - offsets[sensor]);
  }
};

bool is_shorter(const SensorRange& a, const SensorRange& b) {
  return std::tie(a.range, a.first, a.second) < std::tie(b.range, b.first, b.second);
}

/// Kruskal's algorithm marks the tree; going through the ranges by length also sorts every row.
Candidates candidates_of(const Network& network) {
  Candidates candidates;
  candidates.offsets.assign(at(network.sensors) + 1, 0);
  for (const SensorRange& range : network.sensor_ranges) {
    ++candidates.offsets[at(range.first) + 1];
    ++candidates.offsets[at(range.second) + 1];
  }
  for (std::size_t i = 1; i < candidates.offsets.size(); ++i)
    candidates.offsets[i] += candidates.offsets[i - 1];
  candidates.rows.resize(candidates.offsets.back());
  std::vector<std::size_t> next(candidates.offsets.begin(), candidates.offsets.end() - 1);
  std::vector<SensorRange> ranges = network.sensor_ranges;
  std::sort(ranges.begin(), ranges.end(), is_shorter);
  DisjointSets trees(network.sensors);
  for (const SensorRange& range : ranges) {
    const bool in_tree = trees.join(range.first, range.second);
    candidates.rows[next[at(range.first)]++] = {range.range, range.second, in_tree};
    candidates.rows[next[at(range.second)]++] = {range.range, range.first, in_tree};
  }
  return candidates;
}

/// Each sensor's neighbour towards the root of its tree, −1 for the roots.
std::vector<std::int32_t> parents_of(const Candidates& candidates, std::int32_t sensors) {
  std::vector<std::int32_t> parents(at(sensors), -1);
  std::vector<bool> reached(at(sensors), false);
  std::vector<std::int32_t> queue;
  queue.reserve(at(sensors));
  for (std::int32_t root = 0; root < sensors; ++root) {
    if (reached[at(root)]) continue;
    reached[at(root)] = true;
    queue.push_back(root);
    for (std::size_t next = queue.size() - 1; next < queue.size(); ++next) {
      const std::int32_t sensor = queue[next];
      for (const Candidate& candidate : candidates.of(at(sensor))) {
        if (!candidate.in_tree || reached[at(candidate.sensor)]) continue;
        reached[at(candidate.sensor)] = true;
        parents[at(candidate.sensor)] = sensor;
        queue.push_back(candidate.sensor);
      }
    }
  }
  return parents;
}

bool has_range(const Network& network, std::int32_t a, std::int32_t b) {
  const SensorRange wanted{std::min(a, b), std::max(a, b), 0};
  const auto found =
      std::lower_bound(network.sensor_ranges.begin(), network.sensor_ranges.end(), wanted,
                       [](const SensorRange& left, const SensorRange& right) {
                         return std::tie(left.first, left.second) < std::tie(right.first, right.second);
                       });
  return found != network.sensor_ranges.end() && found->first == wanted.first &&
         found->second == wanted.second;
}

void check_offsets(const Network& network) {
  const std::vector<std::int64_t>& offsets = network.neighbor_offsets;
  const bool whole = offsets.size() == at(network.sensors) + 1 && offsets.front() == 0 &&
                     offsets.back() == static_cast<std::int64_t>(network.neighbors.size()) &&
                     std::is_sorted(offsets.begin(), offsets.end());
  if (!whole) {
    refuse_network("its neighbour lists do not fit together; give one list for each of the " +
                   std::to_string(network.sensors) + " sensors.");
  }
}

void check_row(const Network& network, std::int32_t sensor, std::span<const std::int32_t> row) {
  const std::string whose = "the neighbour list of sensor " + std::to_string(sensor) + " ";
  if (row.size() > MOST_NEIGHBORS) {
    refuse_network(whose + "has " + std::to_string(row.size()) + " entries; at most " +
                   std::to_string(MOST_NEIGHBORS) + " are supported.");
  }
  for (std::size_t k = 0; k < row.size(); ++k) {
    const std::string other = "sensor " + std::to_string(row[k]);
    if (row[k] < 0 || row[k] >= network.sensors) {
      refuse_network(whose + "names the unknown " + other + "; sensors are numbered from 0 to " +
                     std::to_string(network.sensors - 1) + ".");
    }
    if (row[k] == sensor) refuse_network(whose + "names that sensor itself.");
    if (k > 0 && row[k] == row[k - 1]) refuse_network(whose + "names " + other + " twice.");
    if (!has_range(network, sensor, row[k])) {
      refuse_network(whose + "names " + other +
                     ", to which it has no range. Add the range, or leave it out.");
    }
  }
}

}  // namespace

void choose_neighbors(Network& network, int most) {
  const Candidates candidates = candidates_of(network);
  const std::vector<std::int32_t> parents = parents_of(candidates, network.sensors);
  network.neighbor_offsets.assign(1, 0);
  network.neighbors.clear();
  for (std::int32_t i = 0; i < network.sensors; ++i) {
    const auto begin = static_cast<std::ptrdiff_t>(network.neighbors.size());
    const std::int32_t parent = parents[at(i)];
    if (parent >= 0) network.neighbors.push_back(parent);
    int left = most - (parent >= 0 ? 1 : 0);
    for (const Candidate& candidate : candidates.of(at(i))) {
      if (left == 0) break;
      if (candidate.sensor == parent) continue;
      network.neighbors.push_back(candidate.sensor);
      --left;
    }
    std::sort(network.neighbors.begin() + begin, network.neighbors.end());
    network.neighbor_offsets.push_back(static_cast<std::int64_t>(network.neighbors.size()));
  }
}

void check_neighbors(Network& network) {
  check_offsets(network);
  for (std::int32_t i = 0; i < network.sensors; ++i) {
    const auto begin = network.neighbors.begin() + network.neighbor_offsets[at(i)];
    const auto end = network.neighbors.begin() + network.neighbor_offsets[at(i) + 1];
    std::sort(begin, end);
    check_row(network, i, network.neighbors_of(i));
  }
}

}  // namespace lockstep::splitting

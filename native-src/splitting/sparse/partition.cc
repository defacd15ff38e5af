#include "splitting/sparse/partition.h"

#include <algorithm>
#include <utility>

namespace lockstep::splitting {
namespace {

// Few enough for the gathering of their sums to be short, many enough to balance the ranks' shares.
constexpr std::int32_t LARGEST_LEAF = 256;
constexpr std::int32_t LEAVES_AT_LEAST = 128;

// Up to a factor: what the projection costs grows with the cube of the block's width, the rest more slowly.
double work_of(const Network& network, std::int32_t sensor) {
  const double width = static_cast<double>(network.neighbors_of(sensor).size()) + 1 + network.dimension;
  return width * width * width + 50 * width;
}

struct Search {
  const Rows& adjacent;
  std::vector<std::int32_t> seen_in;  ///< the round in which a sensor was last seen
  std::int32_t round = 0;

  /// Appends what is reached from `root`, breadth first, sensors with few neighbours before others.
  void run(std::int32_t root, std::vector<std::int32_t>& order) {
    ++round;
    std::size_t next = order.size();
    order.push_back(root);
    seen_in[static_cast<std::size_t>(root)] = round;
    while (next < order.size()) {
      const std::int32_t sensor = order[next++];
      const std::size_t first = order.size();
      for (const std::int32_t other : adjacent[sensor]) {
        if (seen_in[static_cast<std::size_t>(other)] == round) continue;
        seen_in[static_cast<std::size_t>(other)] = round;
        order.push_back(other);
      }
      std::stable_sort(
          order.begin() + static_cast<std::ptrdiff_t>(first), order.end(),
          [&](std::int32_t a, std::int32_t b) { return adjacent[a].size() < adjacent[b].size(); });
    }
  }
};

}  // namespace

int Partition::rank_of(std::int32_t place) const {
  return static_cast<int>(std::upper_bound(begins.begin(), begins.end(), place) - begins.begin()) - 1;
}

Rows symmetric_neighbors(const Network& network) {
  std::vector<std::vector<std::int32_t>> lists(static_cast<std::size_t>(network.sensors));
  for (std::int32_t sensor = 0; sensor < network.sensors; ++sensor) {
    for (const std::int32_t neighbor : network.neighbors_of(sensor)) {
      lists[static_cast<std::size_t>(sensor)].push_back(neighbor);
      lists[static_cast<std::size_t>(neighbor)].push_back(sensor);
    }
  }
  return sorted_rows(std::move(lists));
}

std::vector<std::int32_t> reverse_cuthill_mckee(const Rows& adjacent) {
  const std::int32_t sensors = adjacent.size();
  Search search{adjacent, std::vector<std::int32_t>(static_cast<std::size_t>(sensors), 0)};
  std::vector<char> placed(static_cast<std::size_t>(sensors), 0);
  std::vector<std::int32_t> order, trial;
  for (std::int32_t sensor = 0; sensor < sensors; ++sensor) {
    if (placed[static_cast<std::size_t>(sensor)]) continue;
    // The last one of a search lies at the rim; a second search from there ends at the other side.
    std::int32_t root = sensor;
    for (int repeat = 0; repeat < 2; ++repeat) {
      trial.clear();
      search.run(root, trial);
      root = trial.back();
    }
    const std::size_t first = order.size();
    search.run(root, order);
    for (std::size_t i = first; i < order.size(); ++i) placed[static_cast<std::size_t>(order[i])] = 1;
  }
  std::reverse(order.begin(), order.end());
  return order;
}

Partition partition(const Network& network, int ranks) {
  Partition result;
  result.sensor_at = reverse_cuthill_mckee(symmetric_neighbors(network));
  result.place_of.resize(result.sensor_at.size());
  double total = 0;
  for (std::int32_t place = 0; place < network.sensors; ++place) {
    const std::int32_t sensor = result.sensor_at[static_cast<std::size_t>(place)];
    result.place_of[static_cast<std::size_t>(sensor)] = place;
    total += work_of(network, sensor);
  }
  result.leaf = std::clamp(network.sensors / LEAVES_AT_LEAST, 1, LARGEST_LEAF);
  result.begins = {0};
  double before = 0;
  for (std::int32_t place = 0; place < network.sensors; ++place) {
    const bool begins_leaf = place % result.leaf == 0;
    while (begins_leaf && static_cast<int>(result.begins.size()) < ranks &&
           before >= total * static_cast<double>(result.begins.size()) / ranks) {
      result.begins.push_back(place);
    }
    before += work_of(network, result.sensor_at[static_cast<std::size_t>(place)]);
  }
  result.begins.resize(static_cast<std::size_t>(ranks) + 1, network.sensors);
  return result;
}

}  // namespace lockstep::splitting

#include "splitting/sparse/holders.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace lockstep::splitting {
Holders::Holders(const Network& network, const Partition& partition) : sensor_(partition.sensor_at) {
  const auto sensors = static_cast<std::size_t>(network.sensors);
  std::vector<std::vector<std::int32_t>> adjacent(sensors), holders(sensors);
  for (std::int32_t place = 0; place < network.sensors; ++place) {
    members_.items.push_back(place);
    holders[static_cast<std::size_t>(place)].push_back(place);
    for (const std::int32_t sensor : network.neighbors_of(sensor_[static_cast<std::size_t>(place)])) {
      const std::int32_t neighbor = partition.place_of[static_cast<std::size_t>(sensor)];
      members_.items.push_back(neighbor);
      holders[static_cast<std::size_t>(neighbor)].push_back(place);
      adjacent[static_cast<std::size_t>(neighbor)].push_back(place);
      adjacent[static_cast<std::size_t>(place)].push_back(neighbor);
    }
    members_.end_row();
  }
  adjacent_ = sorted_rows(std::move(adjacent));
  holders_ = sorted_rows(std::move(holders));
}

bool Holders::has(std::int32_t place, std::int32_t member) const {
  const auto list = members_[place];
  return std::find(list.begin(), list.end(), member) != list.end();
}

bool Holders::are_neighbors(std::int32_t a, std::int32_t b) const {
  const auto list = adjacent_[a];
  return std::binary_search(list.begin(), list.end(), b);
}

void Holders::find_partners(std::int32_t p, std::vector<std::int32_t>& partners) const {
  partners.clear();
  for (const std::int32_t holder : holders_[p]) {
    for (const std::int32_t q : members_[holder]) {
      if (q >= p) partners.push_back(q);
    }
  }
  std::sort(partners.begin(), partners.end());
  partners.erase(std::unique(partners.begin(), partners.end()), partners.end());
}

std::int32_t Holders::find_holders(std::int32_t p, std::int32_t q, std::vector<std::int32_t>& holders) const {
  holders.clear();
  const auto of_p = holders_[p], of_q = holders_[q];
  std::set_intersection(of_p.begin(), of_p.end(), of_q.begin(), of_q.end(), std::back_inserter(holders));
  const auto holds = [&](std::int32_t place) {
    return std::binary_search(holders.begin(), holders.end(), place);
  };
  if (holds(p) || holds(q)) return NO_RELAY;
  // By the sensors' own numbers, so that it stays the same when a changed network has another order.
  const bool is_p = sensor_[static_cast<std::size_t>(p)] < sensor_[static_cast<std::size_t>(q)];
  const std::int32_t relay = is_p ? p : q;
  holders.insert(std::upper_bound(holders.begin(), holders.end(), relay), relay);
  return relay;
}

std::int32_t Entry::hub(const Holders& all) const {
  if (relay != NO_RELAY) return relay;
  return all.has(p, q) ? p : q;
}

}  // namespace lockstep::splitting

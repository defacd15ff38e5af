#include "splitting/sparse/kept_duals.h"

#include <algorithm>

#include "splitting/network/messages.h"

namespace lockstep::splitting {
namespace {

constexpr std::int32_t NONE = -1;

/// By place in the new order: the place before.
std::vector<std::int32_t> places_before(const Partition& now, const Partition& before,
                                        std::span<const std::int32_t> kept) {
  std::vector<std::int32_t> places;
  for (const std::int32_t sensor : now.sensor_at) {
    const std::int32_t number = kept[static_cast<std::size_t>(sensor)];
    places.push_back(number < 0 ? NONE : before.place_of[static_cast<std::size_t>(number)]);
  }
  return places;
}

// Whoever left an entry took a part of the sum along, and so did the relay that is one no more.
void balance(const SparseProblem& problem, SparseIteration& iteration) {
  const Blocks& blocks = problem.blocks;
  const std::span<double> v = iteration.v(), u = iteration.u();
  std::vector<double> sums(static_cast<std::size_t>(problem.mixing.all_slots));
  for (std::size_t slot = 0; slot < v.size(); ++slot) sums[slot] = v[slot] + u[slot];
  iteration.exchange(sums);
  problem.holders.for_each(blocks.begin(), blocks.end(), [&](const Entry& entry) {
    const std::int32_t hub = entry.hub(problem.holders);
    if (!blocks.owns(hub)) return;
    for (int c = 0; c < blocks.components(entry); ++c) {
      const std::int32_t slot = blocks.slot_of(hub, entry, c);
      double excess = 0;
      for (const std::int32_t copy : problem.mixing.copies_of(slot)) {
        excess += sums[static_cast<std::size_t>(copy)];
      }
      u[static_cast<std::size_t>(slot)] -= excess;
    }
  });
}

}  // namespace

KeptDuals::KeptDuals(Communicator& group, const SparseProblem& problem, SparseIteration& iteration)
    : before_(problem),
      blocks_(problem.holders, problem.blocks.dimension(), 0, problem.holders.sensors()),
      v_(static_cast<std::size_t>(blocks_.slots())),
      u_(v_.size()) {
  std::vector<std::int64_t> counts;
  const auto& begins = problem.partition.begins;
  for (std::size_t rank = 0; rank + 1 < begins.size(); ++rank) {
    counts.push_back(blocks_.first_slot(begins[rank + 1]) - blocks_.first_slot(begins[rank]));
  }
  gather_all(group, iteration.v(), v_, counts);
  gather_all(group, iteration.u(), u_, counts);
}

/// @return where entry (row, column) of the block of `place` was, or NONE
std::int32_t KeptDuals::slot_before(const SparseProblem& problem, std::span<const std::int32_t> places_before,
                                    std::int32_t place, int row, int column) const {
  const std::int32_t owner = places_before[static_cast<std::size_t>(place)];
  const int d = blocks_.dimension();
  const auto column_before = [&](int index) {
    if (index < d) return index;
    const std::int32_t member = problem.holders.members(place)[static_cast<std::size_t>(index - d)];
    const std::int32_t wanted = places_before[static_cast<std::size_t>(member)];
    const auto members = before_.holders.members(owner);
    const auto found = std::find(members.begin(), members.end(), wanted);
    return found == members.end() ? NONE : d + static_cast<int>(found - members.begin());
  };
  const int a = column_before(row), b = column_before(column);
  return a == NONE || b == NONE ? NONE : blocks_.slot(owner, std::min(a, b), std::max(a, b));
}

void KeptDuals::restore(const SparseProblem& problem, std::span<const std::int32_t> kept,
                        SparseIteration& iteration) const {
  const Blocks& blocks = problem.blocks;
  const std::vector<std::int32_t> before = places_before(problem.partition, before_.partition, kept);
  const auto restore_slot = [&](std::int32_t slot, std::int32_t from) {
    if (from == NONE) return;
    iteration.v()[static_cast<std::size_t>(slot)] = v_[static_cast<std::size_t>(from)];
    iteration.u()[static_cast<std::size_t>(slot)] = u_[static_cast<std::size_t>(from)];
  };
  for (std::int32_t place = blocks.begin(); place < blocks.end(); ++place) {
    const std::int32_t owner = before[static_cast<std::size_t>(place)];
    if (owner == NONE) continue;
    for (int column = 0; column < blocks.width(place); ++column) {
      for (int row = 0; row <= column; ++row) {
        restore_slot(blocks.slot(place, row, column), slot_before(problem, before, place, row, column));
      }
    }
    std::int32_t slot = blocks.first_slot(place) + blocks.block_slots(place);
    for (const std::int32_t other : blocks.relayed(place)) {
      const auto relayed = blocks_.relayed(owner);
      const auto found =
          std::lower_bound(relayed.begin(), relayed.end(), before[static_cast<std::size_t>(other)]);
      const bool is_there = found != relayed.end() && *found == before[static_cast<std::size_t>(other)];
      const std::int32_t first = blocks_.first_slot(owner) + blocks_.block_slots(owner);
      restore_slot(slot++, is_there ? first + static_cast<std::int32_t>(found - relayed.begin()) : NONE);
    }
  }
  balance(problem, iteration);
}

}  // namespace lockstep::splitting

#include "splitting/sparse/blocks.h"

#include <algorithm>

namespace lockstep::splitting {

Blocks::Blocks(const Holders& holders, int dimension, std::int32_t begin, std::int32_t end)
    : holders_(&holders), dimension_(dimension), begin_(begin), end_(end) {
  std::vector<std::vector<std::int32_t>> relayed(static_cast<std::size_t>(end - begin));
  holders.for_each(begin, end, [&](const Entry& entry) {
    if (entry.relay == NO_RELAY || !owns(entry.relay)) return;
    const std::int32_t other = entry.relay == entry.p ? entry.q : entry.p;
    relayed[static_cast<std::size_t>(entry.relay - begin)].push_back(other);
  });
  first_slots_ = {0};
  for (std::int32_t place = begin; place < end; ++place) {
    auto& others = relayed[static_cast<std::size_t>(place - begin)];
    std::sort(others.begin(), others.end());
    relayed_.items.insert(relayed_.items.end(), others.begin(), others.end());
    relayed_.end_row();
    first_slots_.push_back(first_slots_.back() + block_slots(place) +
                           static_cast<std::int32_t>(others.size()));
  }
}

int Blocks::column_of(std::int32_t place, std::int32_t member) const {
  const auto members = holders_->members(place);
  return dimension_ + static_cast<int>(std::find(members.begin(), members.end(), member) - members.begin());
}

std::int32_t Blocks::slot_of(std::int32_t place, const Entry& entry, int component) const {
  if (place == entry.relay) {
    const std::int32_t other = entry.relay == entry.p ? entry.q : entry.p;
    const auto others = relayed(place);
    const auto found = std::lower_bound(others.begin(), others.end(), other);
    return first_slot(place) + block_slots(place) + static_cast<std::int32_t>(found - others.begin());
  }
  const int column = column_of(place, entry.p);
  if (entry.p == entry.q) return slot(place, component < dimension_ ? component : column, column);
  const int other = column_of(place, entry.q);
  return slot(place, std::min(column, other), std::max(column, other));
}

void Blocks::slots_of_data_term(std::int32_t place, std::vector<std::int32_t>& slots) const {
  slots.clear();
  const int own = dimension_;
  slots.push_back(slot(place, own, own));
  for (int column = own + 1; column < width(place); ++column) slots.push_back(slot(place, own, column));
  for (int column = own + 1; column < width(place); ++column) slots.push_back(slot(place, column, column));
  for (int c = 0; c < dimension_; ++c) slots.push_back(slot(place, c, own));
}

}  // namespace lockstep::splitting

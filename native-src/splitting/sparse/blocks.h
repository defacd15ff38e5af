#pragma once

/// @file
/// Where a rank keeps the entries of S that its sensors hold.

#include <cstdint>
#include <span>
#include <vector>

#include "splitting/sparse/holders.h"

namespace lockstep::splitting {

/// One entry's values at one sensor are in one *slot*. A sensor's slots stand together: its block S[idx,
/// idx], upper triangle by columns, idx = {0 … d − 1, its members}; then the entries that it relays.
class Blocks {
 public:
  /// Those of the places [begin, end).
  Blocks(const Holders& holders, int dimension, std::int32_t begin, std::int32_t end);

  const Holders& holders() const { return *holders_; }
  int dimension() const { return dimension_; }
  std::int32_t begin() const { return begin_; }
  std::int32_t end() const { return end_; }
  std::int32_t sensors() const { return end_ - begin_; }
  std::int32_t slots() const { return first_slots_.back(); }
  bool owns(std::int32_t place) const { return place >= begin_ && place < end_; }

  /// d + 1 + neighbours.
  int width(std::int32_t place) const {
    return dimension_ + static_cast<int>(holders_->members(place).size());
  }
  std::int32_t first_slot(std::int32_t place) const {
    return first_slots_[static_cast<std::size_t>(place - begin_)];
  }
  std::int32_t end_slot(std::int32_t place) const { return first_slot(place + 1); }
  /// The slot of row and column of the block, row ≤ column.
  std::int32_t slot(std::int32_t place, int row, int column) const {
    return first_slot(place) + column * (column + 1) / 2 + row;
  }
  /// Slots of the block, without those of relayed entries.
  std::int32_t block_slots(std::int32_t place) const {
    const int columns = width(place);
    return columns * (columns + 1) / 2;
  }

  /// Of the entries that `place` relays, in the order of their slots: the other sensor, a place.
  std::span<const std::int32_t> relayed(std::int32_t place) const { return relayed_[place - begin_]; }

  /// How many numbers an entry stands for: d rows of X and Y_pp, or Y_pq alone.
  int components(const Entry& entry) const { return entry.p == entry.q ? dimension_ + 1 : 1; }
  std::int32_t slot_of(std::int32_t place, const Entry& entry, int component) const;

  /// The slots of ξ in the order of DataTerm.
  void slots_of_data_term(std::int32_t place, std::vector<std::int32_t>& slots) const;

 private:
  int column_of(std::int32_t place, std::int32_t member) const;

  const Holders* holders_;
  int dimension_;
  std::int32_t begin_, end_;
  std::vector<std::int32_t> first_slots_;
  Rows relayed_;
};

}  // namespace lockstep::splitting

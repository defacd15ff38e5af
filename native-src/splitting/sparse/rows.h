#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lockstep::splitting {

/// Lists of numbers, one after the other (compressed rows).
struct Rows {
  std::vector<std::int64_t> offsets = {0};
  std::vector<std::int32_t> items;

  std::int32_t size() const { return static_cast<std::int32_t>(offsets.size()) - 1; }
  std::span<const std::int32_t> operator[](std::int32_t row) const {
    const auto at = static_cast<std::size_t>(row);
    return std::span(items).subspan(static_cast<std::size_t>(offsets[at]),
                                    static_cast<std::size_t>(offsets[at + 1] - offsets[at]));
  }
  void end_row() { offsets.push_back(static_cast<std::int64_t>(items.size())); }
};

/// Each list sorted, without repetitions.
inline Rows sorted_rows(std::vector<std::vector<std::int32_t>> lists) {
  Rows rows;
  for (auto& list : lists) {
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
    rows.items.insert(rows.items.end(), list.begin(), list.end());
    rows.end_row();
  }
  return rows;
}

}  // namespace lockstep::splitting

#include "learning/trees/forest_rows.h"

#include <algorithm>

#include "lockstep/error.h"

namespace lockstep::learning {
namespace {

/// So many bytes travel at once, so that the copies on their way stay small next to the rows themselves.
constexpr std::size_t MESSAGE_BYTES = 32 << 20;

}  // namespace

ForestRows::ForestRows(const Group& group, const TreeData& data) {
  std::vector<std::size_t> own;
  for (std::size_t i = 0; i < data.rows(); ++i) {
    if (!data.held_out[i] && data.weight(i) > 0) own.push_back(i);
  }
  auto gather_of = [&](const auto& of_row) {
    std::vector<std::decay_t<decltype(of_row(std::size_t{0}))>> values;
    for (const std::size_t i : own) values.push_back(of_row(i));
    return group.gather(values);
  };
  ids = gather_of([&](std::size_t i) { return data.ids[i]; });
  if (ids.empty()) {
    throw Error(ErrorCode::INVALID_ARGUMENT,
                "All rows that are not held out have the weight 0; a forest needs one that counts.");
  }
  targets = gather_of([&](std::size_t i) { return data.targets[i]; });
  const std::vector<double> all_weights = gather_of([&](std::size_t i) { return data.weight(i); });
  if (std::ranges::any_of(all_weights, [](double weight) { return weight != 1; })) weights = all_weights;

  columns.resize(data.features() * rows());
  by_row.resize(columns.size());
  const std::size_t block = std::clamp<std::size_t>(MESSAGE_BYTES / rows(), 1, data.features());
  std::vector<std::uint8_t> sent;
  for (std::size_t first = 0; first < data.features(); first += block) {
    const std::size_t last = std::min(first + block, data.features());
    sent.resize((last - first) * own.size());
    for (std::size_t i = 0; i < own.size(); ++i) {
      const std::uint8_t* row = data.row(own[i]);
      for (std::size_t f = first; f < last; ++f) sent[(f - first) * own.size() + i] = row[f];
    }
    std::vector<std::int64_t> counts;
    const std::vector<std::uint8_t> all = group.gather(std::span<const std::uint8_t>(sent), &counts);
    std::size_t begin = 0, at = 0;  // where the rows of a rank, and its message, begin
    for (const std::int64_t count : counts) {
      const std::size_t of_rank = static_cast<std::size_t>(count) / (last - first);
      for (std::size_t f = first; f < last; ++f, at += of_rank) {
        for (std::size_t i = 0; i < of_rank; ++i) {
          columns[f * rows() + begin + i] = by_row[(begin + i) * data.features() + f] = all[at + i];
        }
      }
      begin += of_rank;
    }
  }
}

}  // namespace lockstep::learning

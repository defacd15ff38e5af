#pragma once

#include <cstdint>
#include <vector>

#include "learning/group.h"
#include "learning/trees/tree_data.h"

namespace lockstep::learning {

/// The fitted rows of all ranks on each of them, a byte a value and column by column: whole trees are then
/// grown by one rank without a message. Rows lie in an order that differs with the ranks; nothing that is
/// computed from them may depend on it.
struct ForestRows {
  /// Collective.
  ForestRows(const Group& group, const TreeData& data);

  std::size_t rows() const { return ids.size(); }
  const std::uint8_t* column(std::size_t feature) const { return bins.data() + feature * rows(); }

  std::vector<std::uint8_t> bins;  ///< features × rows
  std::vector<double> targets;
  std::vector<double> weights;  ///< empty for ones
  std::vector<std::uint64_t> ids;
};

}  // namespace lockstep::learning

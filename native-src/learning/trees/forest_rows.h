#pragma once

#include <cstdint>
#include <vector>

#include "learning/group.h"
#include "learning/trees/tree_data.h"

namespace lockstep::learning {

/// The fitted rows of all ranks on each of them: whole trees are then grown by one rank without a message. A
/// value is a byte, twice: nodes of many rows read columns, those of few rows copy the rows. Rows lie in an
/// order that differs with the ranks; nothing that is computed from them may depend on it.
struct ForestRows {
  /// Collective.
  ForestRows(const Group& group, const TreeData& data);

  std::size_t rows() const { return ids.size(); }
  const std::uint8_t* column(std::size_t feature) const { return columns.data() + feature * rows(); }

  std::vector<std::uint8_t> columns;  ///< features × rows
  std::vector<std::uint8_t> by_row;   ///< rows × features
  std::vector<double> targets;
  std::vector<double> weights;  ///< empty for ones
  std::vector<std::uint64_t> ids;
};

}  // namespace lockstep::learning

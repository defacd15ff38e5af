#pragma once

/// @file
/// Sparse Cholesky of matrices with one block a sensor and one a range between sensors.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "splitting/factorisation/dense_cholesky.h"
#include "splitting/factorisation/nested_dissection.h"
#include "splitting/network/range_graph.h"

namespace lockstep::splitting {

/// Multifrontal Cholesky (Duff and Reid, ACM TOMS 9, 1983) on the tree of separators. Serial: the bits depend
/// on the arguments alone. Keeps the graph's address.
class BlockCholesky {
 public:
  /// @param points points × graph.dimension(): any positions give a right order of elimination, those of the
  /// sensors a good one
  BlockCholesky(const RangeGraph& graph, std::span<const double> points);

  /// Where the block of each of a sensor's range ends is among `links`.
  std::size_t first_link(std::int32_t sensor) const { return offsets_[static_cast<std::size_t>(sensor)]; }
  std::size_t links() const { return offsets_.back(); }

  /// @param block k, the rows of a block
  /// @param diagonal sensors × k × k, symmetric blocks
  /// @param link links() × k × k: the symmetric block of a sensor and the other end of one of its ranges, in
  /// the order of RangeGraph::ends_of(); those of anchors are not read
  /// @return whether the matrix is positive definite; if not, small pivots were raised
  bool factor(std::size_t block, std::span<const double> diagonal, std::span<const double> link);

  /// About how many floating-point operations factor() takes.
  double operations(std::size_t block) const;

  /// x ← A⁻¹ x. @param x sensors × k
  void solve(std::span<double> x) const;

 private:
  std::size_t sensors_of(const Front& front) const { return front.own.size() + front.border.size(); }
  static std::int32_t sensor_at(const Front& front, std::size_t place) {
    return place < front.own.size() ? front.own[place] : front.border[place - front.own.size()];
  }
  Dense assemble(const Front& front, std::span<const double> diagonal, std::span<const double> link);
  void add_update(const Front& child, const Front& parent, const Dense& update, Dense& matrix) const;

  const RangeGraph& graph_;
  const std::vector<Front> fronts_;
  std::vector<std::size_t> offsets_;
  std::vector<std::int32_t> local_;  ///< a sensor's place in the front at hand, −1 elsewhere
  std::size_t block_ = 0;
  std::vector<Dense> factors_;  ///< of each front: its own columns
};

}  // namespace lockstep::splitting

#pragma once

/// @file
/// The diagonal blocks of the inverse of a sparse normal matrix, without the rest of that inverse.

#include <span>
#include <vector>

#include "splitting/factorisation/dense_cholesky.h"
#include "splitting/factorisation/nested_dissection.h"
#include "splitting/network/range_graph.h"

namespace lockstep::splitting {

/// Multifrontal Cholesky (Duff and Reid, ACM TOMS 9, 1983) up the tree of separators, then the recurrences of
/// Takahashi, Fagan and Chen (1973) down it: of the inverse, each front needs only what its parent's front
/// holds. About n^1.5 operations and n log n memory for sensors in a plane.
class SelectedInverse {
 public:
  /// @param points points × d, where the ranges are linearised
  SelectedInverse(const RangeGraph& graph, const Loss& loss, std::span<const double> points);

  /// @param out sensors × d × d: (JᵀWJ)⁻¹'s diagonal blocks; NaN for sensors that the ranges do not determine
  void diagonal_blocks(std::span<double> out);

 private:
  Dense assemble(const Front& front);
  template <int D>
  void add_ranges(const Front& front, Dense& matrix);
  void add_update(const Front& child, const Front& parent, const Dense& update, Dense& matrix) const;
  void factor_all();
  Dense invert(std::size_t number, const Dense& parent) const;
  void write_blocks(const Front& front, const Dense& inverse, std::span<double> out) const;
  std::vector<std::size_t> places_in(const Front& parent, const Front& child) const;

  const RangeGraph& graph_;
  const Loss loss_;
  const std::span<const double> points_;
  const std::size_t dimension_;
  std::vector<Front> fronts_;
  std::vector<Dense> factors_;       ///< of each front: its own columns of the Cholesky factor
  std::vector<std::int32_t> local_;  ///< a sensor's place in the front at hand, −1 elsewhere
  std::vector<double> weights_;      ///< of each sensor: the trace of its block of the normal matrix
};

}  // namespace lockstep::splitting

#pragma once

/// @file
/// What remains of the iteration's state when the network changes.

#include <cstdint>
#include <span>
#include <vector>

#include "collective/communicator/communicator.h"
#include "splitting/sparse/sparse_iteration.h"
#include "splitting/sparse/sparse_problem.h"

namespace lockstep::splitting {

/// The duals v and u of all sensors, on every rank.
class KeptDuals {
 public:
  /// Collective. @param problem kept by reference
  KeptDuals(Communicator& group, const SparseProblem& problem, SparseIteration& iteration);

  /// Collective: gives them to those entries of own sensors that there were before, and then makes Σ (v + u)
  /// zero for each entry again, whose holders may have changed. What it corrects goes to the hub.
  /// @param kept of each sensor of `problem`, its number before or −1
  void restore(const SparseProblem& problem, std::span<const std::int32_t> kept,
               SparseIteration& iteration) const;

 private:
  std::int32_t slot_before(const SparseProblem& problem, std::span<const std::int32_t> places_before,
                           std::int32_t place, int row, int column) const;

  const SparseProblem& before_;
  Blocks blocks_;  ///< of all sensors
  std::vector<double> v_, u_;
};

}  // namespace lockstep::splitting

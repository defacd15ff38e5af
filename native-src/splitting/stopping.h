#pragma once

/// @file
/// When the iteration ends; the same in both forms.

#include <cstdint>

#include "splitting/splitting.h"

namespace lockstep::splitting {

/// Sums over all sensors after one iteration, the same bits on every rank.
struct IterationTotals {
  double objective = 0;  ///< Σ g_i(y_i), each on its own copy
  double change = 0;  ///< Σ ‖2x_i − t_i‖² + ‖2y_i − s_i‖²: how far the copies are from consensus
  double size = 0;    ///< Σ ‖x_i‖² + ‖y_i‖²
};

/// Keeps what the rules look back on. Every rank has one and judges the same totals, so that all stop
/// together.
class StoppingRule {
 public:
  /// @throws Error INVALID_ARGUMENT for options that no iteration can use
  explicit StoppingRule(const Options& options);

  /// Forgets earlier iterations.
  void restart();

  /// After each iteration. The residual is √(change / size).
  Progress judge(const IterationTotals& totals);

  const Progress& progress() const { return progress_; }

 private:
  double tolerance_;
  bool stops_early_;
  double best_objective_ = 0;
  std::int64_t best_iteration_ = 0;
  Progress progress_;
};

}  // namespace lockstep::splitting

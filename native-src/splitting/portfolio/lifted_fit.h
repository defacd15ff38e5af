#pragma once

/// @file
/// A network fitted in more dimensions than it has, where parts on the wrong side of others turn round
/// freely, then pressed flat.

#include <limits>
#include <span>
#include <vector>

#include "splitting/factorisation/block_cholesky.h"
#include "splitting/network/range_graph.h"

namespace lockstep::splitting {

/// How one descent ends.
struct Pressing {
  double penalty =
      0;  ///< ½ penalty · (squares of the coordinates beyond the network's dimension) joins the cost
  int max_steps = 60;
  double tolerance = 1e-5;  ///< relative decrease of the cost in a step
  double enough = 0;        ///< decrease of the cost in a step: either ends the descent
  /// A descent that would take more than twenty steps to get there, at the pace of its last one, is given up.
  double goal = std::numeric_limits<double>::infinity();
  std::span<const double> held = {};  ///< a vector like the positions: they do not move along it
};

/// Levenberg–Marquardt in K dimensions with a sparse Cholesky factorisation for each step; near a minimum in
/// the network's own dimensions Newton's method: with 10 to 20 % noise the former takes more than 50 steps
/// along a weakly held direction for what the latter takes five. Serial.
template <int K>
class LiftedFit {
 public:
  /// @param points points × graph.dimension(), of which the anchors count; they lie flat
  LiftedFit(const RangeGraph& graph, const Loss& loss, BlockCholesky& cholesky,
            std::span<const double> points);

  /// @param positions sensors × K, from where to descend and then where to
  /// @return the cost, the penalty included
  double descend(const Pressing& pressing, std::span<double> positions);

 private:
  double cost(std::span<const double> positions, double penalty) const;
  void linearise(std::span<const double> positions, double penalty, bool is_exact);
  const double* place(std::int32_t point, std::span<const double> positions) const;
  void hold(std::span<const double> held, std::span<double> step) const;

  const RangeGraph& graph_;
  const Loss loss_;
  BlockCholesky& cholesky_;
  const std::size_t flat_;
  std::vector<double> anchors_;  ///< anchors × K
  std::vector<double> diagonal_;
  std::vector<double> links_;
  std::vector<double> gradient_;
};

}  // namespace lockstep::splitting

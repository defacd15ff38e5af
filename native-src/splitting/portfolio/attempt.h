#pragma once

/// @file
/// Ways to look for the right fold of a network: each ends in a local minimum of the cost.

#include <cstdint>
#include <span>
#include <vector>

#include "splitting/factorisation/block_cholesky.h"
#include "splitting/network/range_graph.h"
#include "splitting/refinement/refinement.h"

namespace lockstep::splitting {

/// Where an attempt starts, and in how many dimensions more than the network's.
struct Recipe {
  enum class Start : std::int32_t { HERE, SHORTEST_PATHS } start = Start::HERE;
  int extra_dimensions = 1;  ///< 0, 1 or 2
  std::uint64_t seed = 0;    ///< of the coordinates in these
};

/// Attempts on one network, or on a part of one whose surroundings stay. Serial: the bits depend on the
/// arguments alone. Keeps the graph's address.
class Attempts {
 public:
  /// @param points points × d: where the sensors are now, for HERE and for the order of elimination; anchors
  Attempts(const RangeGraph& graph, const Loss& loss, std::span<const double> points);

  /// The fold that a recipe finds, single sensors on the wrong side of their neighbours moved.
  /// @param here sensors × d: HERE
  Fold run(const Recipe& recipe, std::span<const double> here);

  /// About how many floating-point operations an attempt in `extra_dimensions` more takes.
  double operations(int extra_dimensions) const;

 private:
  template <int D>
  Fold run_in(const Recipe& recipe, std::span<const double> here);
  template <int D, int EXTRA>
  void press_flat(const Recipe& recipe, std::span<const double> here, std::vector<double>& flat);
  template <int D>
  double settle(std::vector<double>& flat);

  const RangeGraph& graph_;
  const Loss loss_;
  std::vector<double> points_;
  BlockCholesky cholesky_;
  double median_range_;
  double median_weight_;
};

}  // namespace lockstep::splitting

#pragma once

/// @file
/// The second derivatives of the cost of all ranges, row by row of the sensors.

#include <cstdint>
#include <span>
#include <vector>

#include "splitting/network/range_graph.h"
#include "splitting/network/sensor_slices.h"

namespace lockstep::splitting {

/// How a range curves the cost across its direction (see Bend).
enum class Curvature {
  EXACT,  ///< converges fast near a minimum; elsewhere not positive definite
  SAFE    ///< its absolute value: never overshoots by much, and leaves saddle points
};

/// The rows of the sensors that this rank owns.
template <int D>
class NormalMatrix {
 public:
  NormalMatrix(const RangeGraph& graph, const SensorSlices& slices);

  /// Linearises at `points`. @param gradient of the cost by the own sensors' positions, written
  void update(std::span<const double> points, const Loss& loss, Curvature curvature,
              std::span<double> gradient);

  /// Adds λ times the trace of each sensor's block to its diagonal from now on, and inverts the blocks that
  /// precondition().
  void damp(double lambda);

  /// @param all a vector over all sensors; @param own the product's own part, written
  void multiply(std::span<const double> all, std::span<double> own) const;

  /// The product with the inverses of the diagonal blocks of the safe matrix: block Jacobi's preconditioner.
  void precondition(std::span<const double> residual, std::span<double> out) const;

 private:
  static constexpr int BLOCK = D * D;

  /// A range to a sensor: along · u uᵀ + across · I.
  struct Link {
    std::int32_t other;
    double along;
    double across;
    std::array<double, D> direction;
  };

  const RangeGraph& graph_;
  const SensorSlices& slices_;
  std::vector<std::size_t> offsets_;  ///< of the own sensors' links
  std::vector<Link> links_;
  std::vector<double> anchor_blocks_;  ///< what the ranges to anchors add to the diagonal
  std::vector<double> safe_blocks_;    ///< of the diagonal, undamped
  std::vector<double> damping_;
  std::vector<double> inverses_;
};

}  // namespace lockstep::splitting

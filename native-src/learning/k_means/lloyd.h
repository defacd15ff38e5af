#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "learning/group.h"
#include "learning/k_means/nearest.h"
#include "learning/k_means/points.h"

namespace lockstep::learning {

enum class Acceleration : std::int32_t { AUTO = 0, NONE = 1, HAMERLY = 2, YINYANG = 3 };

/// What one iteration came to, in scaled units.
struct LloydStep {
  double cost = 0;            ///< Σ weight × squared distance to the centres that the iteration began with
  std::int64_t changed = 0;   ///< rows with another label than before
  std::int64_t repaired = 0;  ///< clusters that were empty and took a far row
  double shift = 0;           ///< Σ over centres of the squared movement
};

/// Lloyd's iteration over the rows of all ranks; every call but the readers is collective. Sums are integers,
/// so the centres do not depend on where rows lie, on how many ranks there are, or on the bounds.
class Lloyd {
 public:
  Lloyd(const Group& group, const Points& points, std::span<const double> centres, Acceleration acceleration);

  /// Labels rows, then moves each centre to the weighted mean of its rows. A centre without rows moves to the
  /// row that is farthest from its own centre (by weight × squared distance; among equals the smallest
  /// identity).
  LloydStep step();

  /// Sculley's mini-batch (2010): rows that the draw of (seed, iteration, row) chose are labelled and each
  /// centre moves toward their mean by their share of all weight it has ever seen.
  /// @param share of rows in a batch, in (0, 1]
  LloydStep batch_step(std::uint64_t seed, std::int64_t iteration, double share);

  /// Labels rows by the centres as they are. @return the cost
  double label();

  std::span<const double> centres() const { return centres_; }
  std::span<const std::int32_t> labels() const { return labels_; }
  /// Weight that mini-batches have brought each centre, in fixed point; part of a checkpoint.
  std::vector<std::int64_t>& seen() { return seen_; }
  std::int64_t scored() const { return search_.scored(); }

 private:
  void refresh_distances();
  double search();
  std::int64_t repair_empty();
  void move_row(std::size_t row, std::size_t to, std::span<std::int64_t> changes);
  double move_centres(std::span<const double> moved);

  const Group& group_;
  const Points& points_;
  const std::size_t count_, dimension_;
  const bool has_bounds_;
  NearestCentre search_;
  std::vector<double> centres_;
  std::vector<std::int32_t> labels_;
  std::vector<double> distances_;
  std::vector<float> lower_;
  std::vector<std::int64_t> sums_, weights_;  ///< of each centre over all ranks, in fixed point
  std::vector<std::int64_t> seen_;
};

}  // namespace lockstep::learning

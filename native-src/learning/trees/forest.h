#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "learning/group.h"
#include "learning/trees/ensemble.h"
#include "learning/trees/forest_grower.h"
#include "learning/trees/tree_data.h"

namespace lockstep::learning {

struct ForestOptions {
  Objective objective = Objective::REGRESSION;
  std::int32_t classes = 1;  ///< of MULTICLASS; 1 otherwise
  std::uint64_t seed = 0;
  TreeOptions tree;  ///< of these max_depth, min_data_in_leaf, min_gain_to_split, feature_fraction_bynode
                     ///< and, without classes, monotone
};

/// The share of rows whose class is right, or R². NaN where no row is scored.
struct ForestScore {
  double out_of_bag;  ///< of the fitted rows, each by the trees that were grown without it
  double validation;  ///< of those held out
};

/// A random forest (Breiman 2001). Every rank holds the fitted rows of all, as bins, and grows whole trees:
/// which rank grows a tree does not change it. Collective.
class Forest final : public Ensemble {
 public:
  Forest(const Group& group, const TreeData& data, ForestOptions options);

  /// Grows the next tree on each rank, but none of number `most` or above; every rank then has all of them.
  void grow(std::int64_t most);
  ForestScore score() const;

  std::size_t leaf_values() const override { return static_cast<std::size_t>(outputs()); }
  void add(Tree tree) override;
  void predict(const std::uint8_t* row, std::size_t trees, std::span<double> scores) const override;
  double decide(std::span<const double> scores) const override;

 private:
  double score_of(bool held_out) const;

  const Group& group_;
  const TreeData& data_;
  const ForestOptions options_;
  const ForestRows rows_;
  ForestGrower grower_;
  std::vector<double> sums_;  ///< this rank's rows × outputs, of the trees that have not seen the row
  std::vector<std::int32_t> counts_;  ///< of those trees
};

}  // namespace lockstep::learning

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "learning/group.h"
#include "learning/trees/grower.h"
#include "learning/trees/tree_data.h"

namespace lockstep::learning {

enum class Objective : std::int32_t { REGRESSION = 0, BINARY = 1, MULTICLASS = 2 };

struct BoostingOptions {
  Objective objective = Objective::REGRESSION;
  std::int32_t classes = 1;  ///< of MULTICLASS; 1 otherwise
  double learning_rate = 0.1;
  double bagging_fraction = 1;
  std::uint64_t seed = 0;
  bool measures_training = true;  ///< whether the loss of the fitted rows is computed in each round
  TreeOptions tree;
};

struct BoostingLoss {
  double training;    ///< weighted mean over the fitted rows; NaN where not measured
  double validation;  ///< over those held out; NaN where there are none
};

/// Gradient boosting (Friedman 2001) with second-order leaves: one tree a round, or one for each class.
/// Collective.
class Boosting {
 public:
  /// @throws Error INVALID_ARGUMENT on all ranks for a target that the objective cannot have
  Boosting(const Group& group, const TreeData& data, BoostingOptions options);

  BoostingLoss round(std::int64_t round);
  /// A tree of an earlier run, in place of growing it.
  void add(Tree tree);
  BoostingLoss loss();

  std::int32_t outputs() const { return outputs_; }
  const std::vector<double>& initial() const { return initial_; }
  const std::vector<Tree>& trees() const { return trees_; }
  /// Of each output, by row.
  std::span<const double> scores(std::int32_t output) const {
    return std::span(scores_).subspan(static_cast<std::size_t>(output) * data_.rows(), data_.rows());
  }

 private:
  void check_targets() const;
  void set_initial();
  void compute_gradients();
  void take_gradients_of(std::int32_t output, std::vector<double>& gradients,
                         std::vector<double>& hessians) const;
  double row_loss(std::size_t row) const;
  void apply(const Tree& tree, std::int32_t output, bool uses_leaves, std::span<const char> used);

  const Group& group_;
  const TreeData& data_;
  const BoostingOptions options_;
  const std::int32_t outputs_;
  TreeGrower grower_;
  std::vector<double> initial_;
  std::vector<double> scores_;         ///< outputs × rows
  std::vector<double> probabilities_;  ///< the same, of MULTICLASS
  std::vector<Tree> trees_;            ///< round by round
};

}  // namespace lockstep::learning

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "learning/group.h"
#include "learning/trees/ensemble.h"
#include "learning/trees/grower.h"
#include "learning/trees/tree_data.h"

namespace lockstep::learning {

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
class Boosting final : public Ensemble {
 public:
  Boosting(const Group& group, const TreeData& data, BoostingOptions options);

  BoostingLoss round(std::int64_t round);
  BoostingLoss loss();

  /// The scores before the first tree.
  const std::vector<double>& initial() const { return initial_; }
  std::size_t leaf_values() const override { return 1; }
  void add(Tree tree) override;
  void predict(const std::uint8_t* row, std::size_t trees, std::span<double> scores) const override;
  double decide(std::span<const double> scores) const override;
  /// Of each output, by row.
  std::span<const double> scores(std::int32_t output) const {
    return std::span(scores_).subspan(static_cast<std::size_t>(output) * data_.rows(), data_.rows());
  }

 private:
  void set_initial();
  void compute_gradients();
  void take_gradients_of(std::int32_t output, std::vector<double>& gradients,
                         std::vector<double>& hessians) const;
  double row_loss(std::size_t row) const;
  template <typename Term>
  double sum_of_rows(bool held_out, const Term& term) const;
  void apply(const Tree& tree, std::int32_t output, bool uses_leaves, std::span<const char> used);

  const Group& group_;
  const TreeData& data_;
  const BoostingOptions options_;
  TreeGrower grower_;
  std::vector<double> initial_;
  std::vector<double> scores_;         ///< outputs × rows
  std::vector<double> probabilities_;  ///< the same, of MULTICLASS
};

}  // namespace lockstep::learning

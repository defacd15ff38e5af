#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "learning/trees/tree.h"
#include "learning/trees/tree_data.h"

namespace lockstep::learning {

enum class Objective : std::int32_t { REGRESSION = 0, BINARY = 1, MULTICLASS = 2 };

/// Trees that predict together.
class Ensemble {
 public:
  virtual ~Ensemble() = default;

  const std::vector<Tree>& trees() const { return trees_; }
  Objective objective() const { return objective_; }
  /// Scores of a row: one, or one for each class of MULTICLASS.
  std::int32_t outputs() const { return outputs_; }
  /// Values of a leaf.
  virtual std::size_t leaf_values() const = 0;
  /// A tree of an earlier run or of another rank, in place of growing it.
  virtual void add(Tree tree) = 0;
  /// What the first `trees` trees say of a row of bins: the number itself, or whatever is larger the more
  /// likely a class is.
  virtual void predict(const std::uint8_t* row, std::size_t trees, std::span<double> scores) const = 0;
  /// The number, or the class, that scores stand for; of equals the lowest class.
  virtual double decide(std::span<const double> scores) const = 0;

 protected:
  /// @param classes of MULTICLASS
  /// @throws Error INVALID_ARGUMENT on all ranks for a target that the objective cannot have. Collective.
  Ensemble(const Group& group, const TreeData& data, Objective objective, std::int32_t classes);

  const Objective objective_;
  const std::int32_t outputs_;
  std::vector<Tree> trees_;
};

}  // namespace lockstep::learning

#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "jni/registry.h"
#include "learning/trees/boosting.h"
#include "learning/trees/forest.h"

namespace lockstep::learning {

/// What a handle of open_trees() stands for: rows as bins, and trees that are grown on them. Calls from
/// several threads wait for each other.
class TreeRun {
 public:
  /// The arguments are those of TreeData.
  TreeRun(std::shared_ptr<Communicator> communicator, std::span<const double> values, std::size_t features,
          std::span<const double> target, std::span<const double> weights,
          const std::vector<char>& categorical, std::int32_t max_bins, double validation, std::uint64_t seed);

  void start(BoostingOptions options);
  BoostingLoss round(std::int64_t round);
  BoostingLoss loss();
  std::vector<double> initial();

  void start(ForestOptions options);
  /// See Forest::grow().
  void grow(std::int64_t most);
  ForestScore score();

  const TreeData& data() const { return data_; }
  std::int64_t trees();
  /// See tree_codec.h.
  std::vector<double> encoded(std::size_t tree);
  void add(std::span<const double> encoded);
  /// See importance.h. @param trees at most as many as there are
  std::vector<double> permutation_importance(std::int64_t trees, std::int64_t sample, std::uint64_t seed);
  /// Area under the ROC curve of the held-out rows, or of all where none are; BINARY. NaN where there is one
  /// class. Collective.
  double area_under_curve();

 private:
  Boosting& boosting();
  Forest& forest();
  Ensemble& started();

  const std::shared_ptr<Communicator> communicator_;
  const Group group_;
  const TreeData data_;
  std::mutex mutex_;
  std::unique_ptr<Boosting> boosting_;  ///< or this
  std::unique_ptr<Forest> forest_;      ///< or that, whichever was started last
};

/// All open ones. Never destroyed, like communicators().
Registry<TreeRun>& tree_runs();

}  // namespace lockstep::learning

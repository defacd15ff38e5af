#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "jni/registry.h"
#include "learning/trees/boosting.h"

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

  const TreeData& data() const { return data_; }
  std::vector<double> initial();
  std::int64_t trees();
  /// A tree in numbers that do not need the bins; see lockstep/learning.h.
  std::vector<double> encoded(std::size_t tree);
  /// @throws Error INVALID_ARGUMENT where the numbers are no tree over these features
  void add(std::span<const double> encoded);
  /// Area under the ROC curve of the held-out rows, or of all where none are; BINARY. NaN where there is one
  /// class. Collective.
  double area_under_curve();

 private:
  Boosting& started();

  const std::shared_ptr<Communicator> communicator_;
  const Group group_;
  const TreeData data_;
  std::mutex mutex_;
  std::unique_ptr<Boosting> boosting_;
};

/// All open ones. Never destroyed, like communicators().
Registry<TreeRun>& tree_runs();

}  // namespace lockstep::learning

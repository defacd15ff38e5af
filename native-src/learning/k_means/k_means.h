#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "jni/registry.h"
#include "learning/group.h"
#include "learning/k_means/lloyd.h"
#include "learning/k_means/points.h"
#include "learning/k_means/seeding.h"

namespace lockstep::learning {

/// What a handle of open_k_means() stands for: rows, and a run of Lloyd's iteration on them. Calls from
/// several threads wait for each other.
class KMeans {
 public:
  KMeans(std::shared_ptr<Communicator> communicator, std::span<const double> values, std::size_t dimension,
         std::span<const double> weights);

  void seed(const SeedingOptions& options, Acceleration acceleration);
  /// @param centres count × dimension in the data's units, or scaled ones of an earlier run (a checkpoint's)
  void start(std::span<const double> centres, bool scaled, std::span<const std::int64_t> seen,
             Acceleration acceleration);
  LloydStep step();
  LloydStep batch_step(std::uint64_t seed, std::int64_t iteration, double share);
  double label();
  /// Mean silhouette (Rousseeuw 1987) of `sample` rows, with distances among them alone; NaN where they fall
  /// into one cluster. After label().
  double silhouette(std::int64_t sample, std::uint64_t seed);

  std::size_t count();
  std::size_t dimension() const { return points_.dimension(); }
  std::size_t rows() const { return points_.rows(); }
  std::int64_t all_rows() const { return points_.all_rows(); }
  double mean_variance() const { return points_.mean_variance(); }
  void read_centres(std::span<double> out, bool scaled);
  void read_seen(std::span<std::int64_t> out);
  void read_labels(std::span<std::int32_t> out);

 private:
  Lloyd& started();
  LloydStep outside(LloydStep step) const;

  const std::shared_ptr<Communicator> communicator_;
  const Group group_;
  const Points points_;
  std::mutex mutex_;
  std::unique_ptr<Lloyd> lloyd_;
};

/// All open ones. Never destroyed, like communicators().
Registry<KMeans>& k_means_runs();

}  // namespace lockstep::learning

#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "collective/communicator/communicator.h"
#include "jni/registry.h"
#include "splitting/network/network.h"
#include "splitting/refinement/refinement.h"
#include "splitting/splitting.h"

namespace lockstep {

/// What a handle of open_localizer() stands for: a network, and the iteration on it once that was started.
/// Calls from several threads wait for each other.
class Localizer {
 public:
  /// @param network checked
  Localizer(std::shared_ptr<Communicator> group, splitting::Network network);

  std::int32_t sensors() const;
  int dimension() const;

  /// @param positions sensors × d, empty for a cold start
  void start(const splitting::Options& options, std::span<const double> positions);
  splitting::Progress advance(std::int64_t iterations);
  void positions(std::span<double> out);
  void excess(std::span<double> out);
  double mean_objective();
  /// The sparse form keeps its duals; the dense one starts anew from the positions.
  /// @param kept of each sensor its number before, −1 for those that join
  void replace(splitting::Network network, std::span<const std::int32_t> kept,
               std::span<const double> positions);

  splitting::Refinement refine(const splitting::RefinementOptions& options, std::span<double> positions);
  void covariances(const splitting::RefinementOptions& options, std::span<const double> positions,
                   std::span<double> out);
  std::vector<splitting::Ambiguity> find_ambiguous(const splitting::RefinementOptions& options,
                                                   std::span<const double> positions);

 private:
  /// @throws Error INVALID_ARGUMENT where a range would weigh infinitely
  void check_noise(const splitting::RefinementOptions& options) const;
  void check_length(std::size_t length, int numbers_each) const;
  splitting::Splitting& started();

  const std::shared_ptr<Communicator> group_;
  mutable std::mutex mutex_;       ///< guards what follows
  splitting::Refinement refined_;  ///< the last one, with other folds …
  std::vector<double> estimate_;   ///< … and where it ended
  splitting::Network network_;
  splitting::Options options_;
  std::unique_ptr<splitting::Splitting> splitting_;
};

/// All open localizers. Never destroyed, like communicators().
Registry<Localizer>& localizers();

}  // namespace lockstep

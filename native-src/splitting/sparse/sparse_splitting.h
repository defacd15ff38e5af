#pragma once

/// @file
/// The sparse form: one splitting matrix per entry of S, over the sensors whose blocks hold it.

#include <memory>
#include <span>
#include <vector>

#include "splitting/sparse/sparse_iteration.h"
#include "splitting/sparse/sparse_problem.h"
#include "splitting/splitting.h"
#include "splitting/stopping.h"

namespace lockstep::splitting {

class SparseSplitting final : public Splitting {
 public:
  /// @param network checked
  SparseSplitting(std::shared_ptr<Communicator> group, const Network& network, const Options& options);

  void start(std::span<const double> positions) override;
  Progress advance(std::int64_t iterations) override;
  /// Gathers all duals on every rank.
  void replace(const Network& network, std::span<const std::int32_t> kept,
               std::span<const double> positions) override;
  void positions(std::span<double> out) override;
  void excess(std::span<double> out) override;
  double mean_objective() override;

  const SparseProblem& problem() const { return *problem_; }
  SparseIteration& iteration() { return *iteration_; }

 private:
  void measure();
  /// Of X_p and Y_pp by place, d + 1 numbers each.
  std::vector<double> means();

  const std::shared_ptr<Communicator> group_;
  const Options options_;
  std::unique_ptr<SparseProblem> problem_;
  std::unique_ptr<SparseIteration> iteration_;
  StoppingRule rule_;
  IterationTotals totals_;
};

}  // namespace lockstep::splitting

#pragma once

/// @file
/// The dense form, exactly as published: two whole copies of S for each sensor (Barkley & Bassett, arXiv
/// 2503.13403, algorithm 1).

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "splitting/dense/symmetric_copies.h"
#include "splitting/dense/weights.h"
#include "splitting/prox/inexact_prox.h"
#include "splitting/prox/prox.h"
#include "splitting/splitting.h"
#include "splitting/stopping.h"

namespace lockstep::splitting {

/// A rank holds the copies of its own_rows() and, while it mixes, those of all sensors: O(n³) memory. For
/// reference and for small networks.
class DenseSplitting : public Splitting {
 public:
  /// Collective. @param network checked @param solver of the exact prox
  DenseSplitting(std::shared_ptr<Communicator> group, const Network& network, const Options& options,
                 DualSolver solver = solve_dual);

  void start(std::span<const double> positions) override;
  Progress advance(std::int64_t iterations) override;
  void positions(std::span<double> out) override;
  void excess(std::span<double> out) override;
  double mean_objective() override;

  /// Collective: the greatest entry of |Σ (v_i + u_i)|, which stays zero but for rounding.
  double invariant_defect();

 private:
  /// What ξ of a sensor is in a copy.
  std::vector<std::size_t> term_entries(std::int32_t sensor) const;
  IterationTotals iterate();
  void project(std::span<const std::int32_t> sensors, int width);
  void project_all();
  void take_prox_steps();
  void mix(const SymmetricCopies& copies, SymmetricCopies& mixed);
  double update(SymmetricCopies& duals, const SymmetricCopies& copies, const SymmetricCopies& mixed,
                std::int32_t row);
  /// Collective: the copies of all sensors.
  const SymmetricCopies& gathered(const SymmetricCopies& copies);
  /// Collective: over all sensors, the first ones first.
  std::vector<double> sum_of(const SymmetricCopies& first, const SymmetricCopies& second);
  double copies() const { return 2.0 * network_.sensors; }

  const std::shared_ptr<Communicator> group_;
  const Network network_;
  const Options options_;
  const DualSolver solver_;
  const MixingMatrix mixing_;
  const OwnRows own_;
  const SymmetricLayout layout_;
  std::vector<DataTerm> terms_;                    ///< of own sensors
  std::vector<std::vector<std::size_t>> entries_;  ///< of own sensors, term_entries()
  std::vector<InexactProx> inexact_;               ///< of own sensors, where asked for
  std::vector<std::vector<double>> prox_duals_;    ///< of own sensors
  SymmetricCopies x_, y_, v_, u_, s_, t_;          ///< of own sensors
  SymmetricCopies everyones_;                      ///< gathered; not with one rank
  std::vector<double> gap_;                        ///< of the copy at hand to consensus
  StoppingRule stopping_;
};

}  // namespace lockstep::splitting

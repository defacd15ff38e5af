#pragma once

/// @file
/// Runs of the sparse form, alone or as a rank.

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "collective/backend/transport_backend.h"
#include "ranks.h"
#include "splitting/sparse/sparse_splitting.h"

namespace lockstep::test {

inline std::shared_ptr<Communicator> group_of(int rank, int ranks) {
  return std::make_shared<Communicator>(make_backend(join(std::to_string(ranks), rank, ranks), Tuning{}),
                                        PATIENCE);
}

/// What one rank saw.
struct Outcome {
  std::vector<double> positions;
  double objective, residual, mean_objective;
  bool operator==(const Outcome&) const = default;
};

inline Outcome run(std::shared_ptr<Communicator> group, const splitting::Network& network,
                   const splitting::Options& options, int iterations) {
  splitting::SparseSplitting iterated(std::move(group), network, options);
  const splitting::Progress progress = iterated.advance(iterations);
  Outcome result{std::vector<double>(static_cast<std::size_t>(network.sensors * network.dimension)),
                 progress.objective, progress.residual, iterated.mean_objective()};
  iterated.positions(result.positions);
  return result;
}

/// The greatest |Σ (v + u)| over an entry's holders.
inline double largest_imbalance(splitting::SparseSplitting& iterated) {
  const splitting::SparseProblem& problem = iterated.problem();
  double largest = 0;
  problem.holders.for_each(0, problem.holders.sensors(), [&](const splitting::Entry& entry) {
    for (int c = 0; c < problem.blocks.components(entry); ++c) {
      double sum = 0;
      for (const std::int32_t place : entry.holders) {
        const auto slot = static_cast<std::size_t>(problem.blocks.slot_of(place, entry, c));
        sum += iterated.iteration().v()[slot] + iterated.iteration().u()[slot];
      }
      largest = std::max(largest, std::fabs(sum));
    }
  });
  return largest;
}

}  // namespace lockstep::test

#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>

#include "collective/choice/tuning.h"
#include "collective/communicator/request.h"

namespace lockstep {

struct Topology {
  int ranks;
  int hosts;
};

/// The algorithms over a Transport that carry `operation` out; the first is the one that is always right.
/// Empty for what is no collective.
std::span<const Algorithm> algorithms_of(Operation operation);

/// What a tuning goes by: bytes of the whole vector or of all blocks; 0 where not every rank knows them.
std::size_t tuned_bytes(const Request& request, int ranks);

/// The same with DIRECT in front, for the operations that have it.
std::span<const Algorithm> algorithms_with_shared_memory(Operation operation);

/// Chooses from what is equal on all ranks, so that all choose the same: the algorithm of the first row of
/// `tuning` that fits and names one of `available`, otherwise the first of `available`.
/// @param bytes as tuned_bytes()
/// @param available what the backend has for `operation`, not empty
Algorithm select(Operation operation, std::size_t bytes, const Topology& topology, const Tuning& tuning,
                 std::span<const Algorithm> available);

/// What a user has chosen for each operation, which goes before every tuning.
class ChosenAlgorithms {
 public:
  /// @throws Error INVALID_ARGUMENT naming `available` where the algorithm is not among them
  void set(Operation operation, std::optional<Algorithm> algorithm, std::span<const Algorithm> available);

  /// As set(), for what is known to be right.
  void force(Operation operation, std::optional<Algorithm> algorithm) {
    algorithms_[static_cast<std::size_t>(operation)] = algorithm;
  }

  std::optional<Algorithm> get(Operation operation) const {
    return algorithms_[static_cast<std::size_t>(operation)];
  }

 private:
  std::array<std::optional<Algorithm>, static_cast<std::size_t>(Operation::REDUCE_STEP) + 1> algorithms_;
};

}  // namespace lockstep

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "learning/trees/binning.h"
#include "learning/trees/tree.h"

namespace lockstep::learning {

/// A tree in numbers that do not need the bins: how it goes to Java, to checkpoints and to other ranks. See
/// read_tree() in lockstep/learning.h for their order.
std::vector<double> encode(const Tree& tree, const std::vector<FeatureBins>& mappers);

/// The tree again, over the same bins.
/// @param outputs values that each leaf has
/// @throws Error INVALID_ARGUMENT where the numbers are no tree over these features
Tree decode(std::span<const double> numbers, const std::vector<FeatureBins>& mappers, std::size_t outputs);

}  // namespace lockstep::learning

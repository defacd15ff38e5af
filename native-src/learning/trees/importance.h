#pragma once

#include <cstdint>
#include <vector>

#include "learning/group.h"
#include "learning/trees/ensemble.h"
#include "learning/trees/tree_data.h"

namespace lockstep::learning {

/// Importance by permutation (Breiman 2001, section 10): how much the share of right classes, or R², falls
/// where a feature's values are exchanged among the rows. Rows and permutations are drawn by rows'
/// identities. Collective.
/// @param trees the first so many of the ensemble predict
/// @param sample rows that are scored: of those held out, or of all where none are
/// @return by feature; NaN where the score has no meaning, as R² of equal targets
std::vector<double> permutation_importance(const Group& group, const TreeData& data, const Ensemble& ensemble,
                                           std::size_t trees, std::int64_t sample, std::uint64_t seed);

}  // namespace lockstep::learning

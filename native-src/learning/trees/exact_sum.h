#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "learning/group.h"
#include "learning/k_means/points.h"

namespace lockstep::learning {

/// Σ terms over the rows of all ranks, exact to a unit that the largest of them sets, so that it does not
/// depend on their order. Collective. @param all_rows terms of all ranks at most
inline double exact_sum(const Group& group, std::int64_t all_rows, const std::vector<double>& terms) {
  double largest = 0;
  for (const double term : terms) largest = std::max(largest, std::abs(term));
  largest = group.max(largest);
  if (!(largest > 0)) return 0;
  CostSum positive(largest, all_rows), negative(largest, all_rows);
  for (const double term : terms) (term < 0 ? negative : positive).add(std::abs(term));
  group.sum(positive.parts);
  group.sum(negative.parts);
  return positive.value() - negative.value();
}

}  // namespace lockstep::learning

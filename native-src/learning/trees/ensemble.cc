#include "learning/trees/ensemble.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "lockstep/error.h"

namespace lockstep::learning {

Ensemble::Ensemble(const Group& group, const TreeData& data, Objective objective, std::int32_t classes)
    : objective_(objective), outputs_(objective == Objective::MULTICLASS ? classes : 1) {
  if (objective == Objective::REGRESSION) return;
  const double limit = objective == Objective::BINARY ? 2 : classes;
  const std::int64_t wrong = group.sum(std::ranges::count_if(
      data.targets, [&](double y) { return !(y >= 0 && y < limit && y == std::floor(y)); }));
  if (wrong > 0) {
    throw Error(ErrorCode::INVALID_ARGUMENT, "The target of " + std::to_string(wrong) +
                                                 " rows is no whole number from 0 to " +
                                                 std::to_string(static_cast<std::int64_t>(limit) - 1) +
                                                 ", as the objective wants; name another objective.");
  }
}

}  // namespace lockstep::learning

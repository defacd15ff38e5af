#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "learning/trees/ensemble.h"
#include "learning_data.h"

namespace lockstep::test {

/// So many rows that the root of a forest's tree has more than MOST_LISTED of them.
constexpr std::size_t ROWS = 1500, FEATURES = 7;

struct Problem {
  std::vector<double> values, target;
};

/// A target that depends on the first features, one of which is a category; some values are missing, some
/// rows equal.
inline Problem problem(learning::Objective objective) {
  Problem made{clustered_rows(ROWS, FEATURES, 12), {}};
  for (std::size_t i = 0; i < ROWS; ++i) {
    double* row = &made.values[i * FEATURES];
    row[3] = static_cast<double>(i / 10 % 6);
    const double signal = std::sin(row[0] / 10) + (row[3] == 2 || row[3] == 5 ? 1 : 0) + 0.02 * row[1];
    if (i % 13 == 0) row[0] = std::numeric_limits<double>::quiet_NaN();
    if (i % 17 == 0) row[6] = std::numeric_limits<double>::infinity();
    made.target.push_back(objective == learning::Objective::REGRESSION ? signal
                          : objective == learning::Objective::BINARY   ? (signal > 2.4 ? 1 : 0)
                                                                       : std::floor(std::fabs(signal) * 1.3));
    if (objective == learning::Objective::MULTICLASS) made.target.back() = std::min(made.target.back(), 3.0);
  }
  return made;
}

/// Which of the features are categories.
inline std::vector<char> categorical() { return {0, 0, 0, 1, 0, 0, 0}; }

}  // namespace lockstep::test

#include "learning/trees/tree_data.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "learning/random.h"
#include "learning/row_identity.h"
#include "lockstep/error.h"

namespace lockstep::learning {
namespace {

void refuse_unusable(const Group& group, std::size_t rows, std::span<const double> target,
                     std::span<const double> weights) {
  std::int64_t found[4] = {static_cast<std::int64_t>(rows),
                           std::ranges::count_if(target, [](double y) { return !(std::abs(y) <= 1e30); }),
                           std::ranges::count_if(weights, [](double w) { return !(w >= 0 && w <= 1e30); }),
                           std::ranges::count_if(weights, [](double w) { return w > 0; }) +
                               static_cast<std::int64_t>(weights.empty() ? rows : 0)};
  group.sum(found);
  auto refuse = [](const std::string& what) { throw Error(ErrorCode::INVALID_ARGUMENT, what); };
  if (found[0] == 0) refuse("There are no rows on any rank; trees need at least one.");
  if (found[0] >= std::int64_t{1} << 27) {
    refuse("There are " + std::to_string(found[0]) + " rows; the fixed-point sums of trees hold 134217727.");
  }
  if (found[1] > 0)
    refuse("The target of " + std::to_string(found[1]) + " rows is missing, infinite or beyond 1e30.");
  if (found[2] > 0) refuse(std::to_string(found[2]) + " weights are negative, not finite or beyond 1e30.");
  if (found[3] == 0) refuse("All weights are 0; trees need a row that counts.");
}

}  // namespace

TreeData::TreeData(const Group& group, std::span<const double> values, std::size_t features,
                   std::span<const double> target, std::span<const double> row_weights,
                   const std::vector<char>& categorical, std::int32_t max_bins, double validation,
                   std::uint64_t seed)
    : targets(target.begin(), target.end()), weights(row_weights.begin(), row_weights.end()) {
  const std::size_t count = target.size();
  refuse_unusable(group, count, target, row_weights);
  mappers = bin_features(group, values, features, categorical, max_bins);
  bins = bins_of(values, mappers);
  std::vector<std::uint64_t> content(count);
  std::vector<double> whole(features + 2);
  for (std::size_t i = 0; i < count; ++i) {
    std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(i * features), features, whole.begin());
    whole[features] = target[i];
    whole[features + 1] = weight(i);
    content[i] = content_hash(whole);
  }
  ids = identities(group, content);
  held_out.assign(count, 0);
  const Draws draws(seed, Purpose::VALIDATION, 0);
  for (std::size_t i = 0; i < count && validation > 0; ++i) held_out[i] = draws.uniform(ids[i]) < validation;
  std::int64_t rows_of[2] = {static_cast<std::int64_t>(count),
                             static_cast<std::int64_t>(std::ranges::count(held_out, 0))};
  group.sum(rows_of);
  all_rows = rows_of[0];
  fitted_rows = rows_of[1];
  if (fitted_rows == 0) {
    throw Error(ErrorCode::INVALID_ARGUMENT,
                "All rows are held out for validation; lower validation_fraction.");
  }
}

}  // namespace lockstep::learning

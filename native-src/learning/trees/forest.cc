#include "learning/trees/forest.h"

#include <algorithm>
#include <limits>

#include "learning/trees/exact_sum.h"
#include "learning/trees/tree_codec.h"

namespace lockstep::learning {
namespace {

std::unique_ptr<NodeSplitter> splitter_of(const ForestRows& rows, const TreeData& data,
                                          const ForestOptions& options) {
  switch (options.objective) {
    case Objective::REGRESSION:
      break;
    case Objective::BINARY:
      return class_splitter(rows, data.mappers, options.tree, 2, 1);
    case Objective::MULTICLASS: {
      const auto classes = static_cast<std::size_t>(options.classes);
      return class_splitter(rows, data.mappers, options.tree, classes, classes);
    }
  }
  return mean_splitter(rows, data.mappers, options.tree);
}

}  // namespace

Forest::Forest(const Group& group, const TreeData& data, ForestOptions options)
    : Ensemble(group, data, options.objective, options.classes),
      group_(group),
      data_(data),
      options_(std::move(options)),
      rows_(group, data),
      grower_(rows_, data.mappers, options_.tree, options_.seed, splitter_of(rows_, data, options_)),
      sums_(data.rows() * leaf_values(), 0),
      counts_(data.rows(), 0) {}

void Forest::grow(std::int64_t most) {
  const std::int64_t own = static_cast<std::int64_t>(trees_.size()) + group_.rank();
  std::vector<double> numbers;
  if (own < most) numbers = encode(grower_.grow(own), data_.mappers);
  std::vector<std::int64_t> counts;
  const std::vector<double> all = group_.gather(std::span<const double>(numbers), &counts);
  std::size_t begin = 0;
  for (const std::int64_t count : counts) {
    if (count > 0)
      add(decode(std::span(all).subspan(begin, static_cast<std::size_t>(count)), data_.mappers,
                 leaf_values()));
    begin += static_cast<std::size_t>(count);
  }
}

void Forest::add(Tree tree) {
  const auto number = static_cast<std::int64_t>(trees_.size());
  // The tree of a sample without rows has them all, see ForestGrower; it happens to a handful of rows only.
  constexpr std::size_t HANDFUL = 64;
  const bool has_all = rows_.rows() < HANDFUL && std::ranges::all_of(rows_.ids, [&](std::uint64_t id) {
                         return times_drawn(options_.seed, number, id) == 0;
                       });
  const std::size_t each = leaf_values();
  for (std::size_t i = 0; i < data_.rows(); ++i) {
    const bool is_new = data_.held_out[i] != 0 || data_.weight(i) == 0 ||
                        (!has_all && times_drawn(options_.seed, number, data_.ids[i]) == 0);
    if (!is_new) continue;
    const double* value = tree.values.data() + tree.leaf_of(data_.row(i), data_.mappers) * each;
    for (std::size_t k = 0; k < each; ++k) sums_[i * each + k] += value[k];
    ++counts_[i];
  }
  trees_.push_back(std::move(tree));
}

void Forest::predict(const std::uint8_t* row, std::size_t trees, std::span<double> scores) const {
  const std::size_t each = leaf_values();
  std::ranges::fill(scores, 0);
  for (std::size_t t = 0; t < trees; ++t) {
    const double* value = trees_[t].values.data() + trees_[t].leaf_of(row, data_.mappers) * each;
    for (std::size_t k = 0; k < each; ++k) scores[k] += value[k];
  }
  for (double& score : scores) score /= static_cast<double>(trees);
}

double Forest::decide(std::span<const double> scores) const {
  switch (objective()) {
    case Objective::REGRESSION:
      return scores[0];
    case Objective::BINARY:
      return scores[0] > 0.5 ? 1 : 0;
    case Objective::MULTICLASS:
      break;
  }
  return static_cast<double>(std::ranges::max_element(scores) - scores.begin());
}

double Forest::score_of(bool held_out) const {
  const std::size_t each = leaf_values();
  auto sum = [&](const auto& term) {
    std::vector<double> terms(data_.rows(), 0);
    for (std::size_t i = 0; i < data_.rows(); ++i) {
      if ((data_.held_out[i] != 0) == held_out && counts_[i] > 0) terms[i] = data_.weight(i) * term(i);
    }
    return exact_sum(group_, data_.all_rows, terms);
  };
  auto decided = [&](std::size_t i) {
    std::vector<double> scores(each);
    for (std::size_t k = 0; k < each; ++k) scores[k] = sums_[i * each + k] / counts_[i];
    return decide(scores);
  };
  const double weight = sum([](std::size_t) { return 1; });
  if (!(weight > 0)) return std::numeric_limits<double>::quiet_NaN();
  if (objective() != Objective::REGRESSION)
    return sum([&](std::size_t i) { return decided(i) == data_.targets[i] ? 1 : 0; }) / weight;
  const double mean = sum([&](std::size_t i) { return data_.targets[i]; }) / weight;
  auto squared = [](double x) { return x * x; };
  return 1 - sum([&](std::size_t i) { return squared(data_.targets[i] - decided(i)); }) /
                 sum([&](std::size_t i) { return squared(data_.targets[i] - mean); });
}

ForestScore Forest::score() const {
  const double none = std::numeric_limits<double>::quiet_NaN();
  return {score_of(false), data_.fitted_rows < data_.all_rows ? score_of(true) : none};
}

}  // namespace lockstep::learning

#include "learning/trees/boosting.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "learning/elementary.h"
#include "learning/random.h"
#include "learning/trees/exact_sum.h"

namespace lockstep::learning {
namespace {

constexpr double SMALLEST_PROBABILITY = 1e-15;

double sigmoid(double score) { return 1 / (1 + exp_of(-score)); }

double logarithm(double probability) { return log_of(std::max(probability, SMALLEST_PROBABILITY)); }

}  // namespace

Boosting::Boosting(const Group& group, const TreeData& data, BoostingOptions options)
    : Ensemble(group, data, options.objective, options.classes),
      group_(group),
      data_(data),
      options_(std::move(options)),
      grower_(group, data, options_.tree) {
  set_initial();
  scores_.resize(static_cast<std::size_t>(outputs_) * data.rows());
  for (std::int32_t k = 0; k < outputs_; ++k) {
    std::fill_n(scores_.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(k) * data.rows()),
                data.rows(), initial_[static_cast<std::size_t>(k)]);
  }
  if (options_.objective == Objective::MULTICLASS) probabilities_.resize(scores_.size());
}

template <typename Term>
double Boosting::sum_of_rows(bool held_out, const Term& term) const {
  std::vector<double> terms(data_.rows(), 0);
  for (std::size_t i = 0; i < data_.rows(); ++i) {
    if ((data_.held_out[i] != 0) == held_out) terms[i] = term(i);
  }
  return exact_sum(group_, data_.all_rows, terms);
}

void Boosting::set_initial() {
  const double weight = sum_of_rows(false, [&](std::size_t i) { return data_.weight(i); });
  for (std::int32_t k = 0; k < outputs_; ++k) {
    const double mean =
        weight > 0
            ? sum_of_rows(false,
                          [&](std::size_t i) {
                            const double y = data_.targets[i];
                            return data_.weight(i) *
                                   (options_.objective == Objective::MULTICLASS ? (y == k ? 1 : 0) : y);
                          }) /
                  weight
            : 0;
    const double share = std::clamp(mean, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY);
    switch (options_.objective) {
      case Objective::REGRESSION:
        initial_.push_back(mean);
        break;
      case Objective::BINARY:
        initial_.push_back(log_of(share / (1 - share)));
        break;
      case Objective::MULTICLASS:
        initial_.push_back(log_of(share));
        break;
    }
  }
}

void Boosting::compute_gradients() {
  if (options_.objective != Objective::MULTICLASS) return;
  const std::size_t rows = data_.rows();
  const auto classes = static_cast<std::size_t>(outputs_);
  for (std::size_t i = 0; i < rows; ++i) {
    double largest = scores_[i];
    for (std::size_t k = 1; k < classes; ++k) largest = std::max(largest, scores_[k * rows + i]);
    double sum = 0;
    for (std::size_t k = 0; k < classes; ++k)
      sum += probabilities_[k * rows + i] = exp_of(scores_[k * rows + i] - largest);
    for (std::size_t k = 0; k < classes; ++k) probabilities_[k * rows + i] /= sum;
  }
}

void Boosting::take_gradients_of(std::int32_t output, std::vector<double>& gradients,
                                 std::vector<double>& hessians) const {
  const std::size_t rows = data_.rows(), begin = static_cast<std::size_t>(output) * rows;
  // The factor of Friedman's for redundant classes, as in LightGBM.
  const double factor = static_cast<double>(outputs_) / std::max(1, outputs_ - 1);
  for (std::size_t i = 0; i < rows; ++i) {
    const double y = data_.targets[i], weight = data_.weight(i);
    if (options_.objective == Objective::REGRESSION) {
      gradients[i] = (scores_[i] - y) * weight;
      hessians[i] = weight;
      continue;
    }
    const bool is_binary = options_.objective == Objective::BINARY;
    const double p = is_binary ? sigmoid(scores_[i]) : probabilities_[begin + i];
    gradients[i] = (p - (is_binary ? y : (y == output ? 1 : 0))) * weight;
    hessians[i] = (is_binary ? 1 : factor) * p * (1 - p) * weight;
  }
}

double Boosting::row_loss(std::size_t row) const {
  const double y = data_.targets[row];
  switch (options_.objective) {
    case Objective::REGRESSION:
      return (scores_[row] - y) * (scores_[row] - y);
    case Objective::BINARY:
      return -logarithm(sigmoid(y > 0 ? scores_[row] : -scores_[row]));
    case Objective::MULTICLASS:
      break;
  }
  return -logarithm(probabilities_[static_cast<std::size_t>(y) * data_.rows() + row]);
}

BoostingLoss Boosting::loss() {
  compute_gradients();
  auto mean = [&](bool held_out) {
    const double weight = sum_of_rows(held_out, [&](std::size_t i) { return data_.weight(i); });
    return sum_of_rows(held_out, [&](std::size_t i) { return data_.weight(i) * row_loss(i); }) / weight;
  };
  const double none = std::numeric_limits<double>::quiet_NaN();
  return {options_.measures_training ? mean(false) : none,
          data_.fitted_rows < data_.all_rows ? mean(true) : none};
}

void Boosting::apply(const Tree& tree, std::int32_t output, bool uses_leaves, std::span<const char> used) {
  double* scores = scores_.data() + static_cast<std::size_t>(output) * data_.rows();
  for (std::size_t leaf = 0; uses_leaves && leaf < tree.values.size(); ++leaf) {
    for (const std::uint32_t row : grower_.rows_of(leaf)) scores[row] += tree.values[leaf];
  }
  for (std::size_t i = 0; i < data_.rows(); ++i) {
    if (!uses_leaves || used[i] == 0) scores[i] += tree.values[tree.leaf_of(data_.row(i), data_.mappers)];
  }
}

void Boosting::add(Tree tree) {
  apply(tree, static_cast<std::int32_t>(trees_.size()) % outputs_, false, {});
  trees_.push_back(std::move(tree));
}

void Boosting::predict(const std::uint8_t* row, std::size_t trees, std::span<double> scores) const {
  std::ranges::copy(initial_, scores.begin());
  for (std::size_t t = 0; t < trees; ++t)
    scores[t % scores.size()] += trees_[t].values[trees_[t].leaf_of(row, data_.mappers)];
}

double Boosting::decide(std::span<const double> scores) const {
  switch (objective()) {
    case Objective::REGRESSION:
      return scores[0];
    case Objective::BINARY:
      return scores[0] > 0 ? 1 : 0;
    case Objective::MULTICLASS:
      break;
  }
  return static_cast<double>(std::ranges::max_element(scores) - scores.begin());
}

BoostingLoss Boosting::round(std::int64_t round) {
  compute_gradients();
  const Draws bagging(options_.seed, Purpose::BAGGING, static_cast<std::uint64_t>(round));
  std::vector<std::uint32_t> rows;
  std::vector<char> used(data_.rows(), 0);
  for (std::size_t i = 0; i < data_.rows(); ++i) {
    if (data_.held_out[i] ||
        (options_.bagging_fraction < 1 && bagging.uniform(data_.ids[i]) >= options_.bagging_fraction)) {
      continue;
    }
    used[i] = 1;
    rows.push_back(static_cast<std::uint32_t>(i));
  }
  std::vector<double> gradients(data_.rows()), hessians(data_.rows());
  // The trees of one round are all grown from the scores before it.
  for (std::int32_t k = 0; k < outputs_; ++k) {
    take_gradients_of(k, gradients, hessians);
    const std::uint64_t draw = combine(combine(mix(options_.seed), static_cast<std::uint64_t>(round)),
                                       static_cast<std::uint64_t>(k));
    Tree tree = grower_.grow(gradients, hessians, rows, draw);
    for (double& value : tree.values) value *= options_.learning_rate;
    apply(tree, k, true, used);
    trees_.push_back(std::move(tree));
  }
  if (!options_.measures_training && data_.fitted_rows == data_.all_rows) {
    const double none = std::numeric_limits<double>::quiet_NaN();
    return {none, none};
  }
  return loss();
}

}  // namespace lockstep::learning

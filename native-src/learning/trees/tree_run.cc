#include "learning/trees/tree_run.h"

#include <algorithm>

#include "learning/trees/importance.h"
#include "learning/trees/tree_codec.h"
#include "lockstep/error.h"

namespace lockstep::learning {
TreeRun::TreeRun(std::shared_ptr<Communicator> communicator, std::span<const double> values,
                 std::size_t features, std::span<const double> target, std::span<const double> weights,
                 const std::vector<char>& categorical, std::int32_t max_bins, double validation,
                 std::uint64_t seed)
    : communicator_(std::move(communicator)),
      group_(communicator_.get()),
      data_(group_, values, features, target, weights, categorical, max_bins, validation, seed) {}

Boosting& TreeRun::boosting() {
  if (boosting_ == nullptr)
    throw Error(ErrorCode::INVALID_ARGUMENT, "Boosting has not been started on this run.");
  return *boosting_;
}

Forest& TreeRun::forest() {
  if (forest_ == nullptr)
    throw Error(ErrorCode::INVALID_ARGUMENT, "A forest has not been started on this run.");
  return *forest_;
}

Ensemble& TreeRun::started() {
  if (forest_ != nullptr) return *forest_;
  return boosting();
}

void TreeRun::start(BoostingOptions options) {
  std::lock_guard lock(mutex_);
  forest_ = nullptr;
  boosting_ = std::make_unique<Boosting>(group_, data_, std::move(options));
}

BoostingLoss TreeRun::round(std::int64_t round) {
  std::lock_guard lock(mutex_);
  return boosting().round(round);
}

BoostingLoss TreeRun::loss() {
  std::lock_guard lock(mutex_);
  return boosting().loss();
}

std::vector<double> TreeRun::initial() {
  std::lock_guard lock(mutex_);
  return boosting().initial();
}

void TreeRun::start(ForestOptions options) {
  std::lock_guard lock(mutex_);
  boosting_ = nullptr;
  forest_ = std::make_unique<Forest>(group_, data_, std::move(options));
}

void TreeRun::grow(std::int64_t most) {
  std::lock_guard lock(mutex_);
  forest().grow(most);
}

ForestScore TreeRun::score() {
  std::lock_guard lock(mutex_);
  return forest().score();
}

std::int64_t TreeRun::trees() {
  std::lock_guard lock(mutex_);
  return static_cast<std::int64_t>(started().trees().size());
}

std::vector<double> TreeRun::encoded(std::size_t number) {
  std::lock_guard lock(mutex_);
  if (number >= started().trees().size()) throw Error(ErrorCode::INVALID_ARGUMENT, "There is no such tree.");
  return encode(started().trees()[number], data_.mappers);
}

void TreeRun::add(std::span<const double> encoded) {
  std::lock_guard lock(mutex_);
  started().add(decode(encoded, data_.mappers, started().leaf_values()));
}

std::vector<double> TreeRun::permutation_importance(std::int64_t trees, std::int64_t sample,
                                                    std::uint64_t seed) {
  std::lock_guard lock(mutex_);
  const auto count = static_cast<std::size_t>(trees);
  if (count > started().trees().size())
    throw Error(ErrorCode::INVALID_ARGUMENT, "There are fewer trees than that.");
  return learning::permutation_importance(group_, data_, started(), count, sample, seed);
}

double TreeRun::area_under_curve() {
  std::lock_guard lock(mutex_);
  const bool held_out = data_.fitted_rows < data_.all_rows;
  struct Scored {
    double score, weight;
    std::int64_t is_positive;
  };
  std::vector<Scored> own;
  const std::span<const double> scores = boosting().scores(0);
  for (std::size_t i = 0; i < data_.rows(); ++i) {
    if (!held_out || data_.held_out[i]) own.push_back({scores[i], data_.weight(i), data_.targets[i] > 0});
  }
  std::vector<Scored> all = group_.gather(own);
  // Weights of equal scores are added in one order wherever they came from.
  std::ranges::sort(all, [](const Scored& a, const Scored& b) {
    if (a.score != b.score) return a.score < b.score;
    return a.is_positive != b.is_positive ? a.is_positive < b.is_positive : a.weight < b.weight;
  });
  double below = 0, area = 0, positives = 0;
  for (std::size_t begin = 0, end = 0; begin < all.size(); begin = end) {
    double here[2] = {0, 0};
    for (end = begin; end < all.size() && all[end].score == all[begin].score; ++end) {
      here[all[end].is_positive] += all[end].weight;
    }
    area += here[1] * (below + here[0] / 2);
    below += here[0];
    positives += here[1];
  }
  return area / (positives * below);
}

Registry<TreeRun>& tree_runs() {
  static auto* all = new Registry<TreeRun>("tree run");
  return *all;
}

}  // namespace lockstep::learning

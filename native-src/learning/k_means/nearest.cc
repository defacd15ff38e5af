#include "learning/k_means/nearest.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "learning/k_means/distance_kernels.h"

namespace lockstep::learning {
namespace {

constexpr std::size_t BLOCK_ROWS = 96;
/// More than the relative error of squared_distance for any dimension up to 2^20, of a square root and of a
/// norm that was rounded to f32.
constexpr double SLACK = 1e-6;
constexpr double F32_UNIT = 0x1p-24;

const DistanceKernels& kernels() { return variant_in_use(variants_of_distance_kernels); }

}  // namespace

NearestCentre::NearestCentre(std::size_t dimension, std::size_t group_panels)
    : dimension_(dimension), group_panels_(group_panels) {}

void NearestCentre::set(std::span<const double> centres) {
  count_ = centres.size() / dimension_;
  panels_ = (count_ + PANEL - 1) / PANEL;
  groups_ = group_panels_ == 0 ? 1 : (panels_ + group_panels_ - 1) / group_panels_;
  centres_.assign(centres.begin(), centres.end());
  panel_values_.assign(panels_ * PANEL * dimension_, 0);
  // What fills the last panel is farther than anything.
  half_norms_.assign(panels_ * PANEL, std::numeric_limits<float>::max());
  const std::vector<float> origin(dimension_, 0);
  double largest = 0;
  for (std::size_t j = 0; j < count_; ++j) {
    const double* centre = centres_.data() + j * dimension_;
    float* column = panel_values_.data() + j / PANEL * PANEL * dimension_ + j % PANEL;
    for (std::size_t i = 0; i < dimension_; ++i) column[i * PANEL] = static_cast<float>(centre[i]);
    const double squared = kernels().squared_distance(origin.data(), centre, dimension_);
    half_norms_[j] = static_cast<float>(squared / 2);
    largest = std::max(largest, squared);
  }
  largest_norm_ = std::sqrt(largest) * (1 + SLACK);
}

double NearestCentre::squared_distance(const float* row, std::size_t centre) const {
  return kernels().squared_distance(row, centres_.data() + centre * dimension_, dimension_);
}

void NearestCentre::search(const Points& points, std::size_t begin, std::size_t end,
                           std::span<double> distances, std::span<std::int32_t> labels, float* lower) {
  scores_.resize(BLOCK_ROWS * panels_ * PANEL);
  group_scores_.resize(BLOCK_ROWS * PANEL);
  evaluated_.resize(BLOCK_ROWS * groups_);
  for (std::size_t block = begin; block < end; block += BLOCK_ROWS) {
    search_block(points, block, std::min(end, block + BLOCK_ROWS), distances, labels, lower);
  }
}

void NearestCentre::search_block(const Points& points, std::size_t begin, std::size_t end,
                                 std::span<double> distances, std::span<std::int32_t> labels, float* lower) {
  const std::size_t panels_each = group_panels_ == 0 ? panels_ : group_panels_;
  std::fill(evaluated_.begin(), evaluated_.end(), 0);
  for (std::size_t g = 0; g < groups_; ++g) {
    listed_.clear();
    listed_rows_.clear();
    for (std::size_t i = begin; i < end; ++i) {
      const bool is_far =
          lower != nullptr && labels[i] != NONE &&
          static_cast<double>(lower[i * groups_ + g]) * (1 - SLACK) > std::sqrt(distances[i]) * (1 + SLACK);
      if (is_far) continue;
      evaluated_[(i - begin) * groups_ + g] = 1;
      listed_.push_back(points.row(i));
      listed_rows_.push_back(i - begin);
    }
    const std::size_t last = std::min(panels_, (g + 1) * panels_each);
    for (std::size_t p = g * panels_each; p < last && !listed_.empty(); ++p) {
      const float* panel = panel_values_.data() + p * PANEL * dimension_;
      if (listed_.size() ==
          end - begin) {  // the rows of the block are all there, so their scores lie in order
        kernels().scores(listed_.data(), listed_.size(), panel, half_norms_.data() + p * PANEL, dimension_,
                         scores_.data() + p * PANEL, panels_ * PANEL);
        continue;
      }
      kernels().scores(listed_.data(), listed_.size(), panel, half_norms_.data() + p * PANEL, dimension_,
                       group_scores_.data(), PANEL);
      for (std::size_t i = 0; i < listed_.size(); ++i) {
        std::copy_n(group_scores_.data() + i * PANEL, PANEL,
                    scores_.data() + listed_rows_[i] * panels_ * PANEL + p * PANEL);
      }
    }
    scored_ += static_cast<std::int64_t>(listed_.size() * (last - g * panels_each) * PANEL);
  }
  for (std::size_t i = begin; i < end; ++i) {
    settle(points, i, scores_.data() + (i - begin) * panels_ * PANEL,
           evaluated_.data() + (i - begin) * groups_, distances[i], labels[i],
           lower == nullptr ? nullptr : lower + i * groups_);
  }
}

void NearestCentre::settle(const Points& points, std::size_t row, const float* scores, const char* evaluated,
                           double& distance, std::int32_t& label, float* lower) const {
  constexpr std::size_t MAX_ON_STACK = 64;
  TwoSmallest on_stack[MAX_ON_STACK];
  std::vector<TwoSmallest> on_heap(groups_ > MAX_ON_STACK ? groups_ : 0);
  TwoSmallest* smallest = groups_ > MAX_ON_STACK ? on_heap.data() : on_stack;
  const std::size_t panels_each = group_panels_ == 0 ? panels_ : group_panels_;
  float best = std::numeric_limits<float>::infinity();
  bool any = false;
  for (std::size_t g = 0; g < groups_; ++g) {
    if (!evaluated[g]) continue;
    any = true;
    const std::size_t first = g * panels_each, last = std::min(panels_, first + panels_each);
    smallest[g] = kernels().two_smallest(scores + first * PANEL, last - first);
    best = std::min(best, smallest[g].first);
  }
  if (!any) return;
  // A score is ½‖c‖² − x·c up to an error that sequential summation bounds (Higham 2002, section 3.1); the
  // rounding of the centre and of ½‖c‖² to f32 are three more units.
  const double squared_norm = points.squared_norm(row), norm = std::sqrt(squared_norm);
  const double error = (static_cast<double>(dimension_) + 6) * F32_UNIT * 1.1 *
                           (0.5 * largest_norm_ * largest_norm_ + norm * largest_norm_) +
                       squared_norm * F32_UNIT;
  const std::int32_t old_label = label;
  const double old_distance = distance;
  double threshold = static_cast<double>(best) + 2 * error;
  if (std::isfinite(distance)) {
    threshold = std::min(threshold, (distance * (1 + SLACK) - squared_norm * (1 - SLACK)) / 2 + error);
  }
  auto consider = [&](std::size_t centre) {
    if (static_cast<std::int32_t>(centre) == old_label) return;
    const double candidate = squared_distance(points.row(row), centre);
    const auto index = static_cast<std::int32_t>(centre);
    if (candidate < distance || (candidate == distance && label != NONE && index < label)) {
      distance = candidate;
      label = index;
    }
  };
  for (std::size_t g = 0; g < groups_; ++g) {
    if (!evaluated[g] || static_cast<double>(smallest[g].first) > threshold) continue;
    const std::size_t first = g * panels_each * PANEL;
    const std::size_t last = std::min(count_, first + panels_each * PANEL);
    if (static_cast<double>(smallest[g].second) > threshold) {
      consider(first + static_cast<std::size_t>(smallest[g].index));
      continue;
    }
    for (std::size_t j = first; j < last; ++j) {
      if (static_cast<double>(scores[j]) <= threshold) consider(j);
    }
  }
  if (lower == nullptr) return;
  for (std::size_t g = 0; g < groups_; ++g) {
    if (!evaluated[g]) continue;
    const auto first = static_cast<std::int32_t>(g * panels_each * PANEL);
    const bool own_is_smallest = first + smallest[g].index == label;
    const double score = static_cast<double>(own_is_smallest ? smallest[g].second : smallest[g].first);
    const double squared = squared_norm * (1 - SLACK) + 2 * (score - error);
    lower[g] = squared > 0 ? static_cast<float>(std::sqrt(std::min(squared, 1e30)) * (1 - SLACK)) : 0;
  }
  if (label != old_label && old_label != NONE) {  // the centre that was the row's own is now one of its group
    const std::size_t g = static_cast<std::size_t>(old_label) / (panels_each * PANEL);
    lower[g] = std::min(lower[g], static_cast<float>(std::sqrt(old_distance) * (1 - SLACK)));
  }
}

}  // namespace lockstep::learning

#include <algorithm>
#include <bit>
#include <numeric>

#include "learning/trees/exact_sum.h"
#include "learning/trees/node_splitter.h"
#include "learning/trees/quantise.h"

namespace lockstep::learning {
namespace {

class MeanSplitter final : public NodeSplitter {
 public:
  MeanSplitter(const ForestRows& rows, const std::vector<FeatureBins>& mappers, const TreeOptions& options)
      : rows_(rows), mappers_(mappers), options_(options), sums_(rows.rows()) {
    const Group alone;
    const auto count = static_cast<std::int64_t>(rows.rows());
    std::vector<double> weights = rows.weights, gradients(rows.rows());
    if (weights.empty()) weights.assign(rows.rows(), 1);
    for (std::size_t i = 0; i < rows.rows(); ++i) gradients[i] = weights[i] * rows.targets[i];
    mean_ = exact_sum(alone, count, gradients) / exact_sum(alone, count, weights);
    for (std::size_t i = 0; i < rows.rows(); ++i) gradients[i] = weights[i] * (mean_ - rows.targets[i]);
    std::vector<std::uint32_t> all(rows.rows());
    std::iota(all.begin(), all.end(), 0u);
    fixed_ = quantise(alone, gradients, weights, all, MOST_DRAWN * count, sums_);
    one_row_ = std::int64_t{1} << fixed_.count_shift;
  }

  void enter(std::span<const DrawnRow> rows, const Bounds& bounds) override {
    node_ = rows;
    bounds_ = bounds;
    node_sums_.resize(rows.size());
    total_ = {0, 0};
    is_pure_ = true;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const BinSums& own = sums_[rows[i].row];
      const std::int64_t times = rows[i].times;
      node_sums_[i] = {own.gradient * times, (own.hessian_and_count - one_row_) * times + one_row_};
      total_ = total_ + node_sums_[i];
      is_pure_ &= rows_.targets[rows[i].row] == rows_.targets[rows[0].row];
    }
  }

  bool is_pure() const override { return is_pure_; }

  void append_value(std::vector<double>& values) const override {
    values.push_back(mean_ + leaf_value(total_, fixed_, options_.lambda_l2, bounds_));
  }

  bool try_feature(std::int32_t feature, const std::uint8_t* column, Split& best) override {
    ByteSet seen{};
    for (std::size_t i = 0; i < node_.size(); ++i) {
      const std::uint8_t bin = column[node_[i].place];
      histogram_[bin] = (contains(seen, bin) ? histogram_[bin] : BinSums{0, 0}) + node_sums_[i];
      insert(seen, bin);
    }
    // Small nodes have rows in few bins: only those are listed.
    std::int32_t count = 0;
    for (std::uint32_t word = 0; word < 4; ++word) {
      for (std::uint64_t bits = seen[word]; bits != 0; bits &= bits - 1) {
        numbers_[static_cast<std::size_t>(count)] =
            static_cast<std::uint8_t>(64 * word + static_cast<std::uint32_t>(std::countr_zero(bits)));
        listed_[static_cast<std::size_t>(count)] = histogram_[numbers_[static_cast<std::size_t>(count)]];
        ++count;
      }
    }
    if (count < 2) return false;
    const FeatureBins& mapper = mappers_[static_cast<std::size_t>(feature)];
    if (contains(seen, mapper.missing())) {
      --count;  // it has the highest number, so that it follows the bins
    } else {
      listed_[static_cast<std::size_t>(count)] = {0, 0};
    }
    find_split({feature, mapper.is_categorical, listed_.data(), count, numbers_.data()}, total_, fixed_,
               options_, bounds_, best);
    return true;
  }

  void bound_sides(const Split& split, const Bounds& bounds, Bounds& left, Bounds& right) const override {
    learning::bound_sides(split, fixed_, options_, bounds, left, right);
  }

 private:
  const ForestRows& rows_;
  const std::vector<FeatureBins>& mappers_;
  const TreeOptions& options_;
  std::vector<BinSums> sums_;  ///< of a row that was drawn once
  double mean_ = 0;
  FixedPoint fixed_;
  std::int64_t one_row_ = 0;
  std::span<const DrawnRow> node_;
  std::vector<BinSums> node_sums_;
  BinSums total_{0, 0};
  bool is_pure_ = false;
  Bounds bounds_;
  std::array<BinSums, 256> histogram_{};
  std::array<BinSums, 257> listed_{};
  std::array<std::uint8_t, 256> numbers_{};
};

}  // namespace

std::unique_ptr<NodeSplitter> mean_splitter(const ForestRows& rows, const std::vector<FeatureBins>& mappers,
                                            const TreeOptions& options) {
  return std::make_unique<MeanSplitter>(rows, mappers, options);
}

}  // namespace lockstep::learning

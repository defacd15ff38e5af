#include "learning/trees/class_counts.h"

#include <algorithm>
#include <type_traits>

#include "learning/trees/histogram_kernels.h"

namespace lockstep::learning {

void ListedRows::enter(const ClassNode& node) {
  node_ = &node;
  left_.resize(node.total.size());
  total_squares_ = 0;
  for (const double total : node.total) {
    total_squares_ += static_cast<std::int64_t>(total) * static_cast<std::int64_t>(total);
  }
  for (std::size_t i = 0; i < node.size(); ++i) {
    const std::int64_t total = static_cast<std::int64_t>(node.total[node.classes[i]]);
    rows_[i] = {node.weights[i] * total, node.weights[i], node.classes[i]};
  }
}

ByteSet ListedRows::read(const std::uint8_t* column) {
  counts_.fill(0);
  std::size_t different = 0;
  for (std::size_t i = 0; i < node_->size(); ++i) {
    const std::uint8_t bin = column[node_->places[i]];
    const std::uint16_t before = counts_[bin];
    bins_[i] = seen_[different] = bin;
    different += before == 0;
    counts_[bin] = static_cast<std::uint16_t>(before + 1);
  }
  ByteSet seen{};
  for (std::size_t i = 0; i < different; ++i) insert(seen, seen_[i]);
  return seen;
}

std::pair<double, double> ListedRows::weight_of(std::uint8_t bin, std::size_t of_class) const {
  double weight = 0, inside = 0;
  for (std::size_t i = 0; i < node_->size(); ++i) {
    if (bins_[i] != bin) continue;
    weight += rows_[i].weight;
    if (rows_[i].of_class == of_class) inside += rows_[i].weight;
  }
  return {weight, inside};
}

// No branch depends on the rows: what a mispredicted one costs is more than all else of a row.
void ListedRows::score(std::span<const std::uint8_t> order, SplitScores& out) {
  const std::size_t rows = node_->size();
  std::fill_n(ends_.begin(), rows, std::uint8_t{0});
  std::size_t next = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    places_[order[i]] = static_cast<std::uint16_t>(next);
    next += counts_[order[i]];
    ends_[next - 1] = 1;
    out.left_rows[i] = static_cast<std::int64_t>(next);
  }
  for (std::size_t i = 0; i < rows; ++i) sorted_[places_[bins_[i]]++] = rows_[i];
  std::ranges::fill(left_, 0);
  std::int64_t squares = 0, by_total = 0, moved = 0;
  std::size_t bin = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    const Row row = sorted_[i];
    const std::int64_t weight = row.weight, left = left_[row.of_class];
    left_[row.of_class] = left + weight;
    squares += weight * (2 * left + weight);
    by_total += row.weight_by_total;
    moved += weight;
    sums_.squares[bin] = squares;
    sums_.by_total[bin] = by_total;
    sums_.weight[bin] = moved;
    bin += ends_[i];
  }
  variant_in_use(variants_of_histogram_kernels)
      .score_splits(sums_, order.size(), total_squares_, static_cast<std::int64_t>(node_->weight),
                    out.scores.data());
}

template <typename Count>
void CountedRows<Count>::enter(const ClassNode& node, bool counts_rows) {
  counts_rows_ = counts_rows;
  node_ = &node;
  stride_ = node.total.size();
  counts_.resize(256 * stride_);
  left_.resize(stride_);
}

template <typename Count>
template <bool COUNTS_ROWS>
void CountedRows<Count>::count(const std::uint8_t* column) {
  constexpr std::size_t AHEAD = 24;  // the column does not fit into the nearest caches
  const std::size_t rows = node_->size(), stride = stride_;
  const std::uint32_t *places = node_->places.data(), *weights = node_->weights.data();
  const std::uint16_t* classes = node_->classes.data();
  Count* counts = counts_.data();
  for (std::size_t i = 0; i < rows; ++i) {
    if (i + AHEAD < rows) __builtin_prefetch(column + places[i + AHEAD]);
    const std::uint8_t bin = column[places[i]];
    counts[bin * stride + classes[i]] += static_cast<Count>(weights[i]);
    if constexpr (COUNTS_ROWS) {
      ++bin_rows_[bin];
    } else {
      bin_rows_[bin] = 1;
    }
  }
}

template <typename Count>
ByteSet CountedRows<Count>::read(const std::uint8_t* column) {
  std::ranges::fill(counts_, 0);
  bin_rows_.fill(0);
  counts_rows_ ? count<true>(column) : count<false>(column);
  ByteSet seen{};
  for (std::uint32_t bin = 0; bin < 256; ++bin) {
    if (bin_rows_[bin] > 0) insert(seen, bin);
  }
  return seen;
}

template <typename Count>
std::pair<double, double> CountedRows<Count>::weight_of(std::uint8_t bin, std::size_t of_class) const {
  const Count* classes = counts_.data() + bin * stride_;
  double weight = 0;
  for (std::size_t k = 0; k < stride_; ++k) weight += static_cast<double>(classes[k]);
  return {weight, static_cast<double>(classes[of_class])};
}

template <typename Count>
void CountedRows<Count>::score(std::span<const std::uint8_t> order, SplitScores& out) {
  const HistogramKernels& kernels = variant_in_use(variants_of_histogram_kernels);
  std::ranges::fill(left_, 0);
  double left_weight = 0;
  std::int64_t left_rows = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const Count* classes = counts_.data() + order[i] * stride_;
    double squares[2], weight;
    if constexpr (std::is_same_v<Count, double>) {
      kernels.add_classes(left_.data(), classes, node_->total.data(), stride_, squares, &weight);
    } else {
      kernels.add_small_classes(left_.data(), classes, node_->total.data(), stride_, squares, &weight);
    }
    left_weight += weight;
    left_rows += counts_rows_ ? bin_rows_[order[i]] : static_cast<std::int64_t>(weight);
    out.scores[i] = squares[0] / left_weight + squares[1] / (node_->weight - left_weight);
    out.left_rows[i] = left_rows;
  }
}

template class CountedRows<std::int32_t>;
template class CountedRows<double>;

}  // namespace lockstep::learning

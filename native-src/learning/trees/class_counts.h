#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "learning/trees/binning.h"
#include "learning/trees/histogram_kernels.h"

namespace lockstep::learning {

/// The drawn rows of a node of a forest's tree, with their classes.
struct ClassNode {
  std::vector<std::uint32_t> places;   ///< in the columns of bins
  std::vector<std::uint32_t> weights;  ///< integers, of all draws of the row together; at least 1
  std::vector<std::uint16_t> classes;
  std::vector<double> total;  ///< weight by class, an integer; zeros up to a multiple of CLASS_LANES
  double weight = 0;
  double squares = 0;  ///< Σ over classes of the squared weight

  std::size_t size() const { return places.size(); }
};

/// Of each split that sends the first 1, 2, … bins of some order to the left.
struct SplitScores {
  /// Σ over both sides of Σ over classes of the squared weight, by the side's weight; NaN for an empty side.
  std::array<double, 256> scores;
  std::array<std::int64_t, 256> left_rows;
};

/// Up to so many rows, sorting them by bin costs less than a count of every class in every bin.
constexpr std::size_t MOST_LISTED = 512;

/// The rows of a node of at most MOST_LISTED, by the bins of one feature after the other.
class ListedRows {
 public:
  void enter(const ClassNode& node);
  /// Turns to a feature. @return the bins that have rows
  ByteSet read(const std::uint8_t* column);
  /// The weight of a bin, and the part of it that one class has.
  std::pair<double, double> weight_of(std::uint8_t bin, std::size_t of_class) const;
  /// @param order all bins that have rows, each once
  void score(std::span<const std::uint8_t> order, SplitScores& out);

 private:
  struct Row {
    std::int64_t weight_by_total;  ///< its weight × its class's weight in the node
    std::uint32_t weight;
    std::uint32_t of_class;
  };
  const ClassNode* node_ = nullptr;
  std::array<Row, MOST_LISTED> rows_, sorted_;
  std::array<std::uint8_t, MOST_LISTED> bins_;
  std::array<std::uint8_t, MOST_LISTED> ends_;      ///< by place in sorted_: 1 for the last row of a bin
  std::array<std::uint16_t, 256> counts_, places_;  ///< by bin
  std::array<std::uint8_t, 257> seen_;
  std::vector<std::int64_t> left_;  ///< by class
  LeftSums sums_;
  std::int64_t total_squares_ = 0;
};

/// The weights of every class in every bin of one feature, for nodes of any size.
/// @tparam Count holds the weight of the node: int32, or double for integers up to 2^53
template <typename Count>
class CountedRows {
 public:
  /// @param counts_rows false: the rows of SplitScores may be weights
  void enter(const ClassNode& node, bool counts_rows);
  ByteSet read(const std::uint8_t* column);
  std::pair<double, double> weight_of(std::uint8_t bin, std::size_t of_class) const;
  void score(std::span<const std::uint8_t> order, SplitScores& out);

 private:
  template <bool COUNTS_ROWS>
  void count(const std::uint8_t* column);

  bool counts_rows_ = true;
  const ClassNode* node_ = nullptr;
  std::size_t stride_ = 0;
  std::vector<Count> counts_;                ///< bins × classes
  std::array<std::uint32_t, 256> bin_rows_;  ///< or just whether there are any
  std::vector<double> left_;
};

extern template class CountedRows<std::int32_t>;
extern template class CountedRows<double>;

}  // namespace lockstep::learning

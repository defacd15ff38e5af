#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "learning/trees/forest_rows.h"
#include "learning/trees/split.h"

namespace lockstep::learning {

/// No row is drawn more often into one sample: Poisson's distribution of mean 1 passes it once in 10^14.
constexpr std::int64_t MOST_DRAWN = 15;

/// A row in a bootstrap sample.
struct DrawnRow {
  std::uint32_t row;
  std::uint32_t place;  ///< in the columns that try_feature() gets
  std::uint32_t times;  ///< how often it was drawn
};

/// Looks for splits of one node of a forest's tree after the other. What is summed over rows is an integer,
/// so their order changes nothing.
class NodeSplitter {
 public:
  virtual ~NodeSplitter() = default;

  /// Turns to a node. @param bounds of its value, for monotone constraints
  virtual void enter(std::span<const DrawnRow> rows, const Bounds& bounds) = 0;
  /// Whether all of the node's rows have one target.
  virtual bool is_pure() const = 0;
  /// The node's value as a leaf, one number for each output.
  virtual void append_value(std::vector<double>& values) const = 0;
  /// Improves `best` by a feature's splits. @param column the feature's bins by place
  /// @return whether the feature has different values here
  virtual bool try_feature(std::int32_t feature, const std::uint8_t* column, Split& best) = 0;
  /// The values that the sides of a split may have. @param bounds those of the node
  virtual void bound_sides(const Split& split, const Bounds& bounds, Bounds& left, Bounds& right) const = 0;
};

/// By the least squared error of a mean, with the histograms and splits of boosting: the gradient of a row is
/// what the mean of all exceeds it by, its hessian its weight.
std::unique_ptr<NodeSplitter> mean_splitter(const ForestRows& rows, const std::vector<FeatureBins>& mappers,
                                            const TreeOptions& options);

/// By Gini's impurity (Breiman et al. 1984, section 4.3) over counts of classes. A category's place in the
/// order in which splits are looked for is its share of the node's most frequent class: the best split of
/// two classes (Fisher 1958), a good one of several.
/// @param outputs 1 for the share of class 1 of two, or one for each class
std::unique_ptr<NodeSplitter> class_splitter(const ForestRows& rows, const std::vector<FeatureBins>& mappers,
                                             const TreeOptions& options, std::size_t classes,
                                             std::size_t outputs);

}  // namespace lockstep::learning

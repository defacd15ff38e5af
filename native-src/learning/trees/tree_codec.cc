#include "learning/trees/tree_codec.h"

#include <algorithm>
#include <limits>
#include <string>

#include "lockstep/error.h"

namespace lockstep::learning {
namespace {

[[noreturn]] void refuse_tree(const char* what) {
  throw Error(ErrorCode::INVALID_ARGUMENT,
              std::string("A tree of an earlier run does not fit these data: ") + what + ".");
}

/// Reads numbers one after the other.
class Numbers {
 public:
  explicit Numbers(std::span<const double> all) : all_(all) {}
  double next() {
    if (at_ == all_.size()) refuse_tree("it ends too early");
    return all_[at_++];
  }
  std::int64_t integer(std::int64_t least, std::int64_t most) {
    const double value = next();
    if (!(value >= static_cast<double>(least) && value <= static_cast<double>(most)))
      refuse_tree("a number is out of range");
    return static_cast<std::int64_t>(value);
  }
  bool at_end() const { return at_ == all_.size(); }

 private:
  std::span<const double> all_;
  std::size_t at_ = 0;
};

Tree::Node decode_node(Numbers& numbers, std::int64_t number, std::int64_t nodes,
                       const std::vector<FeatureBins>& mappers) {
  Tree::Node node;
  node.feature = static_cast<std::int32_t>(numbers.integer(0, static_cast<std::int64_t>(mappers.size()) - 1));
  const FeatureBins& mapper = mappers[static_cast<std::size_t>(node.feature)];
  const double threshold = numbers.next();
  // Children come after their parent, so that following them ends.
  node.left = static_cast<std::int32_t>(numbers.integer(-nodes - 1, nodes - 1));
  node.right = static_cast<std::int32_t>(numbers.integer(-nodes - 1, nodes - 1));
  if ((node.left >= 0 && node.left <= number) || (node.right >= 0 && node.right <= number))
    refuse_tree("a node is its own parent");
  node.is_categorical = numbers.integer(0, 1) != 0;
  node.missing_left = numbers.integer(0, 1) != 0;
  node.gain = numbers.next();
  node.rows = numbers.integer(0, std::int64_t{1} << 40);
  node.bin = static_cast<std::int32_t>(std::ranges::lower_bound(mapper.edges, static_cast<float>(threshold)) -
                                       mapper.edges.begin());
  for (std::int64_t codes = numbers.integer(0, MAX_BINS); codes > 0; --codes) {
    insert(node.set, mapper.bin(static_cast<double>(numbers.integer(0, 1 << 24))));
  }
  return node;
}

}  // namespace

std::vector<double> encode(const Tree& tree, const std::vector<FeatureBins>& mappers) {
  const std::size_t leaves = tree.leaf_rows.size(), outputs = tree.values.size() / leaves;
  std::vector<double> out = {static_cast<double>(tree.nodes.size()), static_cast<double>(leaves)};
  for (const Tree::Node& node : tree.nodes) {
    const FeatureBins& mapper = mappers[static_cast<std::size_t>(node.feature)];
    const auto bin = static_cast<std::size_t>(node.bin);
    const double threshold = node.is_categorical         ? 0
                             : bin < mapper.edges.size() ? static_cast<double>(mapper.edges[bin])
                                                         : std::numeric_limits<double>::infinity();
    std::vector<double> codes;
    for (std::size_t i = 0; node.is_categorical && i < mapper.codes.size(); ++i) {
      if (contains(node.set, static_cast<std::uint32_t>(i))) codes.push_back(mapper.codes[i]);
    }
    out.insert(out.end(), {static_cast<double>(node.feature), threshold, static_cast<double>(node.left),
                           static_cast<double>(node.right), node.is_categorical ? 1.0 : 0.0,
                           node.missing_left ? 1.0 : 0.0, node.gain, static_cast<double>(node.rows),
                           static_cast<double>(codes.size())});
    out.insert(out.end(), codes.begin(), codes.end());
  }
  for (std::size_t leaf = 0; leaf < leaves; ++leaf) {
    const auto values = tree.values.begin() + static_cast<std::ptrdiff_t>(leaf * outputs);
    out.insert(out.end(), values, values + static_cast<std::ptrdiff_t>(outputs));
    out.push_back(static_cast<double>(tree.leaf_rows[leaf]));
  }
  return out;
}

Tree decode(std::span<const double> encoded, const std::vector<FeatureBins>& mappers, std::size_t outputs) {
  constexpr std::int64_t MOST = 1 << 26;
  Numbers numbers(encoded);
  Tree tree;
  const std::int64_t nodes = numbers.integer(0, MOST), leaves = numbers.integer(1, MOST);
  if (leaves != nodes + 1) refuse_tree("its leaves are not one more than its nodes");
  for (std::int64_t i = 0; i < nodes; ++i) tree.nodes.push_back(decode_node(numbers, i, nodes, mappers));
  for (std::int64_t i = 0; i < leaves; ++i) {
    for (std::size_t k = 0; k < outputs; ++k) tree.values.push_back(numbers.next());
    tree.leaf_rows.push_back(numbers.integer(0, std::int64_t{1} << 40));
  }
  if (!numbers.at_end()) refuse_tree("numbers follow its end");
  return tree;
}

}  // namespace lockstep::learning

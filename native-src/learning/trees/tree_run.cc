#include "learning/trees/tree_run.h"

#include <algorithm>
#include <cmath>
#include <limits>

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

 private:
  std::span<const double> all_;
  std::size_t at_ = 0;
};

}  // namespace

TreeRun::TreeRun(std::shared_ptr<Communicator> communicator, std::span<const double> values,
                 std::size_t features, std::span<const double> target, std::span<const double> weights,
                 const std::vector<char>& categorical, std::int32_t max_bins, double validation,
                 std::uint64_t seed)
    : communicator_(std::move(communicator)),
      group_(communicator_.get()),
      data_(group_, values, features, target, weights, categorical, max_bins, validation, seed) {}

Boosting& TreeRun::started() {
  if (boosting_ == nullptr)
    throw Error(ErrorCode::INVALID_ARGUMENT, "Boosting has not been started on this run.");
  return *boosting_;
}

void TreeRun::start(BoostingOptions options) {
  std::lock_guard lock(mutex_);
  boosting_ = std::make_unique<Boosting>(group_, data_, std::move(options));
}

BoostingLoss TreeRun::round(std::int64_t round) {
  std::lock_guard lock(mutex_);
  return started().round(round);
}

BoostingLoss TreeRun::loss() {
  std::lock_guard lock(mutex_);
  return started().loss();
}

std::vector<double> TreeRun::initial() {
  std::lock_guard lock(mutex_);
  return started().initial();
}

std::int64_t TreeRun::trees() {
  std::lock_guard lock(mutex_);
  return static_cast<std::int64_t>(started().trees().size());
}

std::vector<double> TreeRun::encoded(std::size_t number) {
  std::lock_guard lock(mutex_);
  if (number >= started().trees().size()) throw Error(ErrorCode::INVALID_ARGUMENT, "There is no such tree.");
  const Tree& tree = started().trees()[number];
  std::vector<double> out = {static_cast<double>(tree.nodes.size()), static_cast<double>(tree.values.size())};
  for (const Tree::Node& node : tree.nodes) {
    const FeatureBins& mapper = data_.mappers[static_cast<std::size_t>(node.feature)];
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
  for (std::size_t leaf = 0; leaf < tree.values.size(); ++leaf) {
    out.push_back(tree.values[leaf]);
    out.push_back(static_cast<double>(tree.leaf_rows[leaf]));
  }
  return out;
}

void TreeRun::add(std::span<const double> encoded) {
  std::lock_guard lock(mutex_);
  constexpr std::int64_t MOST = 1 << 26;
  Numbers numbers(encoded);
  Tree tree;
  const std::int64_t nodes = numbers.integer(0, MOST), leaves = numbers.integer(1, MOST);
  if (leaves != nodes + 1) refuse_tree("its leaves are not one more than its nodes");
  for (std::int64_t i = 0; i < nodes; ++i) {
    Tree::Node node;
    node.feature =
        static_cast<std::int32_t>(numbers.integer(0, static_cast<std::int64_t>(data_.features()) - 1));
    const FeatureBins& mapper = data_.mappers[static_cast<std::size_t>(node.feature)];
    const double threshold = numbers.next();
    // Children come after their parent, so that following them ends.
    node.left = static_cast<std::int32_t>(numbers.integer(-leaves, nodes - 1));
    node.right = static_cast<std::int32_t>(numbers.integer(-leaves, nodes - 1));
    if ((node.left >= 0 && node.left <= i) || (node.right >= 0 && node.right <= i))
      refuse_tree("a node is its own parent");
    node.is_categorical = numbers.integer(0, 1) != 0;
    node.missing_left = numbers.integer(0, 1) != 0;
    node.gain = numbers.next();
    node.rows = numbers.integer(0, std::int64_t{1} << 40);
    node.bin = static_cast<std::int32_t>(
        std::ranges::lower_bound(mapper.edges, static_cast<float>(threshold)) - mapper.edges.begin());
    for (std::int64_t codes = numbers.integer(0, MAX_BINS); codes > 0; --codes) {
      insert(node.set, mapper.bin(static_cast<double>(numbers.integer(0, 1 << 24))));
    }
    tree.nodes.push_back(node);
  }
  for (std::int64_t i = 0; i < leaves; ++i) {
    tree.values.push_back(numbers.next());
    tree.leaf_rows.push_back(numbers.integer(0, std::int64_t{1} << 40));
  }
  started().add(std::move(tree));
}

double TreeRun::area_under_curve() {
  std::lock_guard lock(mutex_);
  const bool held_out = data_.fitted_rows < data_.all_rows;
  struct Scored {
    double score, weight;
    std::int64_t is_positive;
  };
  std::vector<Scored> own;
  const std::span<const double> scores = started().scores(0);
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

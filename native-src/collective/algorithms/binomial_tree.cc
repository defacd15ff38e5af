#include "collective/algorithms/binomial_tree.h"

#include <algorithm>
#include <array>
#include <ranges>

#include "core/data_type.h"
#include "core/reduce.h"

namespace lockstep {

BinomialTree::BinomialTree(int rank, int ranks, int root) : parent(-1) {
  const int relative = (rank - root + ranks) % ranks;
  for (int bit = 1; bit < ranks; bit *= 2) {
    if (relative & bit) {
      parent = (relative - bit + root) % ranks;
      break;
    }
    if (relative + bit < ranks) children.push_back((relative + bit + root) % ranks);
  }
}

void binomial_broadcast(const BinomialBroadcastOptions& options) {
  const CollectiveContext& collective = options.collective;
  Transport& transport = collective.transport;
  const BinomialTree tree(collective.rank(), collective.size(), options.root);
  const std::size_t segment_bytes = std::max<std::size_t>(collective.segment_bytes, 1);
  const std::size_t segments = std::max<std::size_t>((options.bytes + segment_bytes - 1) / segment_bytes, 1);
  auto data = [&](std::size_t segment) { return options.data + segment * segment_bytes; };
  auto length = [&](std::size_t segment) {
    return std::min(segment_bytes, options.bytes - segment * segment_bytes);
  };

  std::vector<Transport::Ticket> receives;
  if (tree.parent >= 0) {
    for (std::size_t segment = 0; segment < segments; ++segment) {
      receives.push_back(
          transport.post_receive(tree.parent, collective.signature, data(segment), length(segment)));
    }
  }
  std::vector<Transport::Ticket> sends;
  for (std::size_t segment = 0; segment < segments; ++segment) {
    if (tree.parent >= 0) transport.wait(receives[segment], collective.deadline);
    // The largest subtree has the longest way to go.
    for (int child : tree.children | std::views::reverse) {
      sends.push_back(transport.post_send(child, collective.signature, data(segment), length(segment)));
    }
  }
  transport.wait_all(sends, collective.deadline);
}

namespace {

/// The reduction of one rank, segment by segment. Two segments are under way: one is combined while the next
/// arrives and the last goes to the parent.
class Reduction {
 public:
  explicit Reduction(const BinomialReduceOptions& options)
      : options_(options),
        collective_(options.collective),
        tree_(collective_.rank(), collective_.size(), options.root),
        element_bytes_(size_of(collective_.signature.type)),
        segment_count_(std::clamp<std::size_t>(collective_.segment_bytes / element_bytes_, 1,
                                               std::max<std::size_t>(options.count, 1))),
        segments_(std::max<std::size_t>((options.count + segment_count_ - 1) / segment_count_, 1)) {
    const std::size_t rooms = 2 * (tree_.children.size() + 1);
    scratch_ = collective_.scratch.reserve(rooms * segment_count_ * element_bytes_);
  }

  void run() {
    post_receives(0);
    for (std::size_t segment = 0; segment < segments_; ++segment) {
      if (segment + 1 < segments_) post_receives(segment + 1);
      if (tree_.parent >= 0 && segment >= 2) wait(sends_[segment % 2]);
      const std::byte* result = combine(segment);
      if (tree_.parent >= 0) {
        sends_[segment % 2] =
            collective_.transport.post_send(tree_.parent, collective_.signature, result, bytes(segment));
      }
    }
    if (tree_.parent < 0) return;
    if (segments_ > 1) wait(sends_[segments_ % 2]);
    wait(sends_[(segments_ - 1) % 2]);
  }

 private:
  void post_receives(std::size_t segment) {
    receives_[segment % 2].clear();
    for (std::size_t child = 0; child < tree_.children.size(); ++child) {
      receives_[segment % 2].push_back(collective_.transport.post_receive(
          tree_.children[child], collective_.signature, room(segment, child + 1), bytes(segment)));
    }
  }

  /// @return where this rank's part of the segment lies, combined with its children's
  const std::byte* combine(std::size_t segment) {
    const Signature& signature = collective_.signature;
    const std::byte* left = options_.input + offset(segment);
    std::byte* target = tree_.parent < 0 ? options_.output + offset(segment) : room(segment, 0);
    for (std::size_t child = 0; child < tree_.children.size(); ++child) {
      wait(receives_[segment % 2][child]);
      reduce_pair(target, left, room(segment, child + 1), count(segment), signature.type, signature.op);
      left = target;
    }
    if (tree_.parent < 0 && signature.op == ReduceOp::AVERAGE) {
      finish_average(target, count(segment), signature.type, collective_.size());
    }
    return left;
  }

  void wait(Transport::Ticket ticket) { collective_.transport.wait(ticket, collective_.deadline); }
  std::size_t offset(std::size_t segment) const { return segment * segment_count_ * element_bytes_; }
  std::size_t count(std::size_t segment) const {
    return std::min(segment_count_, options_.count - segment * segment_count_);
  }
  std::size_t bytes(std::size_t segment) const { return count(segment) * element_bytes_; }

  /// Room 0 is for this rank's own result, room 1 + k for what child k sends; each exists for even and odd
  /// segments.
  std::byte* room(std::size_t segment, std::size_t number) const {
    return scratch_ + (2 * number + segment % 2) * segment_count_ * element_bytes_;
  }

  const BinomialReduceOptions& options_;
  const CollectiveContext& collective_;
  const BinomialTree tree_;
  const std::size_t element_bytes_;
  const std::size_t segment_count_;
  const std::size_t segments_;
  std::byte* scratch_;
  std::array<std::vector<Transport::Ticket>, 2> receives_;
  std::array<Transport::Ticket, 2> sends_{};
};

}  // namespace

void binomial_reduce(const BinomialReduceOptions& options) { Reduction(options).run(); }

void binomial_tree_all_reduce(const BinomialTreeAllReduceOptions& options) {
  constexpr int ROOT = 0;
  const CollectiveContext& collective = options.collective;
  binomial_reduce({collective, ROOT, options.input, options.output, options.count});
  binomial_broadcast({collective, ROOT, options.output, options.count * size_of(collective.signature.type)});
}

}  // namespace lockstep

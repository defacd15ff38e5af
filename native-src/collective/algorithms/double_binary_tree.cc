#include "collective/algorithms/double_binary_tree.h"

#include <algorithm>
#include <vector>

#include "core/data_type.h"
#include "core/reduce.h"

namespace lockstep {

namespace {

int lowest_bit(int place) { return place & -place; }

/// The nearest ancestor in the tree without end that is among the first `ranks` places; 0 for the root.
int parent_of(int place, int ranks) {
  for (int bit = lowest_bit(place); bit < ranks; bit *= 2) {
    const int parent = (place & ~(2 * bit - 1)) | 2 * bit;
    if (parent <= ranks) return parent;
  }
  return 0;
}

int left_of(int place) { return lowest_bit(place) == 1 ? 0 : place - lowest_bit(place) / 2; }

int right_of(int place, int ranks) {
  for (int bit = lowest_bit(place) / 2; bit > 0; bit /= 2) {
    if (place + bit <= ranks) return place + bit;
  }
  return 0;
}

}  // namespace

std::array<BinaryTree, 2> double_binary_tree(int rank, int ranks) {
  std::array<BinaryTree, 2> trees;
  for (int shift = 0; shift < 2; ++shift) {
    const int place = (rank + shift) % ranks + 1;
    auto rank_at = [&](int other) { return other == 0 ? -1 : (other - 1 - shift + ranks) % ranks; };
    trees[shift] = {rank_at(parent_of(place, ranks)), rank_at(left_of(place)),
                    rank_at(right_of(place, ranks))};
  }
  return trees;
}

namespace {

/// Segments of each half that are posted at a time.
constexpr std::size_t WINDOW = 2;

/// One rank's part in one tree: segments of one half go up, then down. Both ends of an edge go through the
/// segments in the same order, and no two edges of the two trees lead from the same rank to the same rank in
/// the same direction at the same time, so that messages are posted in the order of their receives.
class HalfOnTree {
 public:
  HalfOnTree(const DoubleBinaryTreeAllReduceOptions& options, const BinaryTree& tree, std::size_t begin,
             std::size_t count, std::size_t segment_count, std::byte* scratch)
      : options_(options),
        collective_(options.collective),
        tree_(tree),
        element_bytes_(size_of(collective_.signature.type)),
        begin_(begin),
        count_(count),
        segment_count_(segment_count),
        scratch_(scratch) {}

  void post_from_children(std::size_t segment) {
    if (tree_.left >= 0) from_left_[segment % WINDOW] = receive(tree_.left, room(segment, 0), segment);
    if (tree_.right >= 0) from_right_[segment % WINDOW] = receive(tree_.right, room(segment, 1), segment);
  }

  void move_up(std::size_t segment) {
    const std::byte* result = options_.input + offset(segment);
    if (tree_.left >= 0) result = combine(segment, from_left_, room(segment, 0), result, true);
    if (tree_.right >= 0) result = combine(segment, from_right_, room(segment, 1), result, false);
    if (tree_.parent >= 0) {
      keep(send(tree_.parent, result, segment), 1);
    } else if (collective_.signature.op == ReduceOp::AVERAGE) {
      finish_average(options_.output + offset(segment), length(segment), collective_.signature.type,
                     collective_.size());
    }
  }

  void post_from_parent(std::size_t segment) {
    if (tree_.parent < 0) return;
    from_parent_[segment % WINDOW] = receive(tree_.parent, options_.output + offset(segment), segment);
  }

  void move_down(std::size_t segment) {
    if (tree_.parent >= 0) wait(from_parent_[segment % WINDOW]);
    for (int child : {tree_.left, tree_.right}) {
      if (child >= 0) keep(send(child, options_.output + offset(segment), segment), 2);
    }
  }

  void finish_sends() { wait_for_sends(0); }

 private:
  using Tickets = std::array<Transport::Ticket, WINDOW>;

  const std::byte* combine(std::size_t segment, const Tickets& tickets, const std::byte* received,
                           const std::byte* own, bool received_is_left) {
    wait(tickets[segment % WINDOW]);
    std::byte* target = options_.output + offset(segment);
    reduce_pair(target, received_is_left ? received : own, received_is_left ? own : received, length(segment),
                collective_.signature.type, collective_.signature.op);
    return target;
  }

  /// Remembers a send; for each segment `each` of them, of which the last few may stay under way.
  void keep(Transport::Ticket ticket, std::size_t each) {
    sends_.push_back(ticket);
    wait_for_sends(each * WINDOW);
  }

  void wait_for_sends(std::size_t left) {
    std::size_t done = 0;
    while (sends_.size() - done > left) wait(sends_[done++]);
    sends_.erase(sends_.begin(), sends_.begin() + static_cast<std::ptrdiff_t>(done));
  }

  Transport::Ticket send(int peer, const std::byte* data, std::size_t segment) {
    return collective_.transport.post_send(peer, collective_.signature, data,
                                           length(segment) * element_bytes_);
  }

  Transport::Ticket receive(int peer, std::byte* data, std::size_t segment) {
    return collective_.transport.post_receive(peer, collective_.signature, data,
                                              length(segment) * element_bytes_);
  }

  void wait(Transport::Ticket ticket) { collective_.transport.wait(ticket, collective_.deadline); }

  std::size_t length(std::size_t segment) const {
    const std::size_t begin = std::min(segment * segment_count_, count_);
    return std::min(segment_count_, count_ - begin);
  }

  std::size_t offset(std::size_t segment) const {
    return (begin_ + std::min(segment * segment_count_, count_)) * element_bytes_;
  }

  std::byte* room(std::size_t segment, std::size_t child) const {
    return scratch_ + (2 * (segment % WINDOW) + child) * segment_count_ * element_bytes_;
  }

  const DoubleBinaryTreeAllReduceOptions& options_;
  const CollectiveContext& collective_;
  const BinaryTree tree_;
  const std::size_t element_bytes_;
  const std::size_t begin_;
  const std::size_t count_;
  const std::size_t segment_count_;
  std::byte* const scratch_;
  Tickets from_left_{};
  Tickets from_right_{};
  Tickets from_parent_{};
  std::vector<Transport::Ticket> sends_;
};

/// Calls post(k) for each segment WINDOW − 1 segments before move(k).
template <typename Post, typename Move>
void pipeline(std::size_t segments, const Post& post, const Move& move) {
  for (std::size_t next = 0; next < segments + WINDOW - 1; ++next) {
    if (next < segments) post(next);
    if (next >= WINDOW - 1) move(next - (WINDOW - 1));
  }
}

}  // namespace

void double_binary_tree_all_reduce(const DoubleBinaryTreeAllReduceOptions& options) {
  const CollectiveContext& collective = options.collective;
  const std::size_t element_bytes = size_of(collective.signature.type);
  const std::size_t longer = (options.count + 1) / 2;
  const std::size_t segment_count =
      std::clamp<std::size_t>(collective.segment_bytes / element_bytes, 1, std::max<std::size_t>(longer, 1));
  const std::size_t segments = std::max<std::size_t>((longer + segment_count - 1) / segment_count, 1);
  const auto trees = double_binary_tree(collective.rank(), collective.size());
  // Only one of the trees can need it: no rank has children in both.
  std::byte* scratch = collective.scratch.reserve(2 * WINDOW * segment_count * element_bytes);
  std::array<HalfOnTree, 2> halves{
      HalfOnTree(options, trees[0], 0, longer, segment_count, scratch),
      HalfOnTree(options, trees[1], longer, options.count - longer, segment_count, scratch)};

  pipeline(
      segments,
      [&](std::size_t segment) {
        for (HalfOnTree& half : halves) half.post_from_children(segment);
      },
      [&](std::size_t segment) {
        for (HalfOnTree& half : halves) half.move_up(segment);
      });
  // What comes down overwrites what went up.
  for (HalfOnTree& half : halves) half.finish_sends();
  pipeline(
      segments,
      [&](std::size_t segment) {
        for (HalfOnTree& half : halves) half.post_from_parent(segment);
      },
      [&](std::size_t segment) {
        for (HalfOnTree& half : halves) half.move_down(segment);
      });
  for (HalfOnTree& half : halves) half.finish_sends();
}

}  // namespace lockstep

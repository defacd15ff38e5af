#include "collective/algorithms/halving_doubling.h"

#include <algorithm>
#include <array>
#include <bit>
#include <deque>
#include <vector>

#include "core/data_type.h"
#include "core/reduce.h"

namespace lockstep {

std::vector<BinaryBlock> binary_blocks(int ranks) {
  std::vector<BinaryBlock> blocks;
  int first = 0;
  while (first < ranks) {
    const int levels = std::bit_width(static_cast<unsigned>(ranks - first)) - 1;
    blocks.push_back({first, levels});
    first += 1 << levels;
  }
  return blocks;
}

Range halved_range(std::size_t count, int number, int halvings) {
  Range range{0, count};
  for (int step = 0; step < halvings; ++step) {
    const std::size_t lower = (range.count + 1) / 2;
    if (number >> step & 1) {
      range = {range.begin + lower, range.count - lower};
    } else {
      range.count = lower;
    }
  }
  return range;
}

namespace {

/// One rank's part.
class HalvingDoubling {
 public:
  explicit HalvingDoubling(const HalvingDoublingAllReduceOptions& options)
      : options_(options),
        collective_(options.collective),
        element_bytes_(size_of(collective_.signature.type)),
        segment_count_(std::clamp<std::size_t>(collective_.segment_bytes / element_bytes_, 1,
                                               std::max<std::size_t>(options.count, 1))),
        scratch_(collective_.scratch.reserve(2 * segment_count_ * element_bytes_)),
        values_(options.input),
        blocks_(binary_blocks(collective_.size())) {
    while (collective_.rank() >= blocks_[block_].first + blocks_[block_].ranks()) ++block_;
    number_ = collective_.rank() - blocks_[block_].first;
  }

  void run() {
    halve();
    const Range own = range(number_, levels());
    if (block_ + 1 < blocks_.size()) receive_and_combine(smaller_peer(), own);
    if (block_ > 0) {
      give_to_larger();
      take_from_larger();
    } else if (collective_.signature.op == ReduceOp::AVERAGE) {
      finish_average(at(options_.output, own.begin), own.count, collective_.signature.type,
                     collective_.size());
    }
    Transport::Ticket passed_on = 0;
    if (block_ + 1 < blocks_.size()) passed_on = send(smaller_peer(), own, options_.output);
    gather();
    if (block_ + 1 < blocks_.size()) wait(passed_on);
  }

 private:
  int levels() const { return blocks_[block_].levels; }
  int rank_of(int number) const { return blocks_[block_].first + number; }
  Range range(int number, int halvings) const { return halved_range(options_.count, number, halvings); }
  std::byte* at(std::byte* data, std::size_t element) const { return data + element * element_bytes_; }

  int smaller_peer() const {
    const BinaryBlock& smaller = blocks_[block_ + 1];
    return smaller.first + number_ % smaller.ranks();
  }

  void halve() {
    for (int step = 0; step < levels(); ++step) {
      const int partner = number_ ^ (1 << step);
      exchange_and_combine(rank_of(partner), range(partner, step + 1), range(number_, step + 1));
    }
  }

  void gather() {
    for (int step = levels() - 1; step >= 0; --step) {
      const int partner = number_ ^ (1 << step);
      const auto incoming = receive(rank_of(partner), range(partner, step + 1));
      const auto outgoing = send(rank_of(partner), range(number_, step + 1), options_.output);
      wait(incoming);
      wait(outgoing);
    }
  }

  void exchange_and_combine(int peer, Range given, Range kept) {
    const std::size_t outgoing = segments(given);
    const std::size_t incoming = segments(kept);
    std::array<Transport::Ticket, 2> sends{};
    std::array<Transport::Ticket, 2> receives{};
    auto post = [&](std::size_t k) {
      if (k < incoming) receives[k % 2] = receive_segment(peer, kept, k);
      if (k < outgoing) sends[k % 2] = send(peer, segment(given, k), values_);
    };
    post(0);
    for (std::size_t k = 0; k < std::max(outgoing, incoming); ++k) {
      post(k + 1);
      if (k < incoming) {
        wait(receives[k % 2]);
        combine(peer, kept, k);
      }
      if (k < outgoing) wait(sends[k % 2]);
    }
    values_ = options_.output;
  }

  void receive_and_combine(int peer, Range kept) {
    const std::size_t incoming = segments(kept);
    std::array<Transport::Ticket, 2> receives{receive_segment(peer, kept, 0)};
    for (std::size_t k = 0; k < incoming; ++k) {
      if (k + 1 < incoming) receives[(k + 1) % 2] = receive_segment(peer, kept, k + 1);
      wait(receives[k % 2]);
      combine(peer, kept, k);
    }
    values_ = options_.output;
  }

  struct Part {
    int peer;
    Range range;
  };

  /// The ranks of the next larger block that hold the parts of this rank's range.
  std::vector<Part> larger_parts() const {
    const BinaryBlock& larger = blocks_[block_ - 1];
    std::vector<Part> parts;
    for (int number = number_; number < larger.ranks(); number += blocks_[block_].ranks()) {
      parts.push_back({larger.first + number, range(number, larger.levels)});
    }
    return parts;
  }

  void give_to_larger() {
    const std::vector<Part> parts = larger_parts();
    std::size_t longest = 0;
    for (const Part& part : parts) longest = std::max(longest, segments(part.range));
    std::deque<Transport::Ticket> under_way;
    for (std::size_t k = 0; k < longest; ++k) {
      for (const Part& part : parts) {
        if (k < segments(part.range)) under_way.push_back(send(part.peer, segment(part.range, k), values_));
      }
      for (; under_way.size() > 2 * parts.size(); under_way.pop_front()) wait(under_way.front());
    }
    for (Transport::Ticket ticket : under_way) wait(ticket);
  }

  void take_from_larger() {
    std::vector<Transport::Ticket> receives;
    for (const Part& part : larger_parts()) receives.push_back(receive(part.peer, part.range));
    for (Transport::Ticket ticket : receives) wait(ticket);
  }

  /// A range of no elements travels as one message of no length.
  std::size_t segments(Range range) const {
    return std::max<std::size_t>((range.count + segment_count_ - 1) / segment_count_, 1);
  }

  Range segment(Range range, std::size_t k) const {
    const std::size_t begin = k * segment_count_;
    return {range.begin + begin, std::min(segment_count_, range.count - begin)};
  }

  std::byte* room(std::size_t k) const { return scratch_ + (k % 2) * segment_count_ * element_bytes_; }

  Transport::Ticket send(int peer, Range range, const std::byte* data) {
    return collective_.transport.post_send(peer, collective_.signature, data + range.begin * element_bytes_,
                                           range.count * element_bytes_);
  }

  Transport::Ticket receive(int peer, Range range) {
    return collective_.transport.post_receive(peer, collective_.signature, at(options_.output, range.begin),
                                              range.count * element_bytes_);
  }

  Transport::Ticket receive_segment(int peer, Range range, std::size_t k) {
    return collective_.transport.post_receive(peer, collective_.signature, room(k),
                                              segment(range, k).count * element_bytes_);
  }

  void wait(Transport::Ticket ticket) { collective_.transport.wait(ticket, collective_.deadline); }

  void combine(int peer, Range kept, std::size_t k) {
    const Range part = segment(kept, k);
    const std::byte* own = values_ + part.begin * element_bytes_;
    const bool peer_is_left = peer < collective_.rank();
    reduce_pair(at(options_.output, part.begin), peer_is_left ? room(k) : own, peer_is_left ? own : room(k),
                part.count, collective_.signature.type, collective_.signature.op);
  }

  const HalvingDoublingAllReduceOptions& options_;
  const CollectiveContext& collective_;
  const std::size_t element_bytes_;
  const std::size_t segment_count_;
  std::byte* const scratch_;
  const std::byte* values_;  ///< the input, and once something was combined the output
  const std::vector<BinaryBlock> blocks_;
  std::size_t block_ = 0;  ///< this rank's
  int number_ = 0;         ///< of this rank in its block
};

}  // namespace

void halving_doubling_all_reduce(const HalvingDoublingAllReduceOptions& options) {
  HalvingDoubling(options).run();
}

}  // namespace lockstep

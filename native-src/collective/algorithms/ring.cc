#include "collective/algorithms/ring.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "core/data_type.h"
#include "core/reduce.h"

namespace lockstep {

namespace {

// docs/decisions/tcp-tuning.md has the measurements. More passes keep the wire busy while the system gives
// the core to another process; shorter segments stay in a core's cache while they are copied and reduced,
// down to where the cost of a message shows.
constexpr std::size_t PASSES_UNDER_WAY = 4;
constexpr std::size_t LONGEST_SEGMENT_BYTES = 256 << 10;
constexpr std::size_t SHORTEST_SEGMENT_BYTES = 16 << 10;

std::size_t divide_up(std::size_t dividend, std::size_t divisor) {
  return (dividend + divisor - 1) / divisor;
}

}  // namespace

/// One segment of every block on its way around the ring.
class RingPass {
 public:
  /// @param partial room for two segments, where partial sums lie between two steps
  RingPass(const RingOptions& options, std::size_t segment_count, std::byte* partial)
      : options_(options),
        collective_(options.collective),
        ranks_(collective_.size()),
        element_bytes_(size_of(collective_.signature.type)),
        segment_count_(segment_count),
        partial_(partial) {}

  bool under_way() const { return under_way_; }

  void begin(std::size_t number) {
    number_ = number;
    step_ = 0;
    reducing_ = options_.reduces;
    under_way_ = true;
    post();
  }

  /// Ends the step that was posted, and posts the next if there is one.
  void advance() {
    collective_.transport.wait(receive_, collective_.deadline);
    if (reducing_) reduce();
    // Only now: what this rank has reduced the next one is to wait for, not the other way round.
    collective_.transport.wait(send_, collective_.deadline);
    ++step_;
    if (step_ == ranks_ - 1) {
      under_way_ = reducing_ && options_.gathers;
      reducing_ = false;
      step_ = 0;
    }
    if (under_way_) post();
  }

 private:
  struct Segment {
    std::size_t offset;  ///< bytes from the first block's beginning
    std::size_t offset_in_block;
    std::size_t count;
    std::size_t bytes;
  };

  Segment segment(int block) const {
    const int rank = ((block % ranks_) + ranks_) % ranks_;
    const std::size_t begin = std::min(number_ * segment_count_, options_.blocks.count(rank));
    const std::size_t end = std::min(begin + segment_count_, options_.blocks.count(rank));
    return {(options_.blocks.offset(rank) + begin) * element_bytes_, begin * element_bytes_, end - begin,
            (end - begin) * element_bytes_};
  }

  std::byte* partial(int step) const { return partial_ + (step % 2) * segment_count_ * element_bytes_; }

  void post() {
    const int rank = collective_.rank();
    const Segment outgoing = segment(reducing_ ? rank - 1 - step_ : rank - step_);
    const Segment incoming = segment(reducing_ ? rank - 2 - step_ : rank - 1 - step_);
    const std::byte* source;
    std::byte* target;
    if (reducing_) {
      source = step_ == 0 ? options_.input + outgoing.offset : partial(step_ - 1);
      target = partial(step_);
    } else {
      source = options_.gathered + outgoing.offset;
      target = options_.gathered + incoming.offset;
    }
    Transport& transport = collective_.transport;
    receive_ =
        transport.post_receive((rank + ranks_ - 1) % ranks_, collective_.signature, target, incoming.bytes);
    send_ = transport.post_send((rank + 1) % ranks_, collective_.signature, source, outgoing.bytes);
  }

  void reduce() {
    const Signature& signature = collective_.signature;
    const Segment own = segment(collective_.rank() - 2 - step_);
    const bool last = step_ == ranks_ - 2;
    std::byte* target = last ? options_.own_block + own.offset_in_block : partial(step_);
    reduce_pair(target, partial(step_), options_.input + own.offset, own.count, signature.type, signature.op);
    if (last && signature.op == ReduceOp::AVERAGE) finish_average(target, own.count, signature.type, ranks_);
  }

  const RingOptions& options_;
  const CollectiveContext& collective_;
  const int ranks_;
  const std::size_t element_bytes_;
  const std::size_t segment_count_;
  std::byte* const partial_;
  std::size_t number_ = 0;
  int step_ = 0;
  bool reducing_ = false;
  bool under_way_ = false;
  Transport::Ticket receive_ = 0;
  Transport::Ticket send_ = 0;
};

Ring::Ring(const RingOptions& options) : options_(options) {
  const CollectiveContext& collective = options_.collective;
  const std::size_t element_bytes = size_of(collective.signature.type);
  const std::size_t largest = std::max<std::size_t>(options_.blocks.largest_count(), 1);
  const std::size_t longest =
      std::max<std::size_t>(std::min(collective.segment_bytes, LONGEST_SEGMENT_BYTES) / element_bytes, 1);
  const std::size_t shortest =
      std::min(longest, std::max<std::size_t>(SHORTEST_SEGMENT_BYTES / element_bytes, 1));
  // As many segments as passes are under way, or a multiple: with fewer at the end the wire would fall idle.
  const std::size_t rounds = divide_up(largest, longest * PASSES_UNDER_WAY);
  const std::size_t segment_count = std::max(shortest, divide_up(largest, rounds * PASSES_UNDER_WAY));
  passes_ = divide_up(largest, segment_count);
  const std::size_t room = options_.reduces ? 2 * segment_count * element_bytes : 0;
  const std::size_t slot_count = std::min(passes_, PASSES_UNDER_WAY);
  std::byte* scratch = collective.scratch.reserve(slot_count * room);

  slots_.reserve(slot_count);
  for (std::size_t slot = 0; slot < slot_count; ++slot) {
    slots_.emplace_back(options_, segment_count, scratch + slot * room);
    slots_.back().begin(slot);
  }
  begun_ = slot_count;
}

Ring::~Ring() = default;

void Ring::finish() {
  // Every rank goes through the slots in the same order, so that messages are posted in the order of their
  // receives.
  while (std::ranges::any_of(slots_, &RingPass::under_way)) {
    for (RingPass& slot : slots_) {
      if (slot.under_way()) slot.advance();
      if (!slot.under_way() && begun_ < passes_) slot.begin(begun_++);
    }
  }
}

std::size_t Ring::full_bytes(std::size_t segment_bytes, int ranks) {
  return std::min(segment_bytes, LONGEST_SEGMENT_BYTES) * PASSES_UNDER_WAY * static_cast<std::size_t>(ranks);
}

void run_ring(const RingOptions& options) { Ring(options).finish(); }

void ring_reduce_scatter(const RingReduceScatterOptions& options) {
  run_ring({.collective = options.collective,
            .blocks = options.blocks,
            .input = options.input,
            .own_block = options.output,
            .reduces = true});
}

void ring_all_gather(const RingAllGatherOptions& options) {
  const CollectiveContext& collective = options.collective;
  const std::size_t element_bytes = size_of(collective.signature.type);
  const int rank = collective.rank();
  if (const std::size_t bytes = options.blocks.count(rank) * element_bytes; bytes > 0) {
    std::memcpy(options.output + options.blocks.offset(rank) * element_bytes, options.input, bytes);
  }
  run_ring({.collective = collective, .blocks = options.blocks, .gathered = options.output, .gathers = true});
}

RingAllReduce::RingAllReduce(const RingAllReduceOptions& options)
    : blocks_(Blocks::dividing(options.count, options.collective.size())),
      ring_({.collective = options.collective,
             .blocks = blocks_,
             .input = options.input,
             .own_block = options.output + blocks_.offset(options.collective.rank()) *
                                               size_of(options.collective.signature.type),
             .gathered = options.output,
             .reduces = true,
             .gathers = true}) {}

void ring_all_reduce(const RingAllReduceOptions& options) { RingAllReduce(options).finish(); }

}  // namespace lockstep

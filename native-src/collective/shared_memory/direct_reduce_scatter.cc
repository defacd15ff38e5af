#include "collective/shared_memory/direct_reduce_scatter.h"

#include "collective/shared_memory/direct.h"
#include "core/data_type.h"
#include "core/reduce.h"

namespace lockstep {
namespace {

using direct::Meeting;
using direct::Pieces;
using direct::Range;
using direct::RegisteredOffsets;

class ReduceScatter {
 public:
  explicit ReduceScatter(const DirectReduceScatterOptions& options)
      : options_(options),
        meeting_(options.collective),
        element_bytes_(size_of(meeting_.signature().type)),
        longest_(meeting_.memory().staging_bytes() / element_bytes_ /
                 static_cast<std::size_t>(meeting_.size())),
        operands_(meeting_.size()),
        inputs_(meeting_.size()) {}

  void run() {
    RegisteredOffsets own;
    const std::size_t last = static_cast<std::size_t>(meeting_.size()) - 1;
    const std::size_t all =
        options_.blocks.offset(static_cast<int>(last)) + options_.blocks.count(static_cast<int>(last));
    own.count = options_.blocks.count(meeting_.rank());
    own.input = meeting_.registered(options_.input, all * element_bytes_);
    is_private_ = own.input == RegisteredOffsets::PRIVATE;
    copy_in(0);
    meeting_.announce(own.bytes());
    for (int peer = 0; peer < meeting_.size(); ++peer) {
      const RegisteredOffsets theirs =
          peer == meeting_.rank() ? own : RegisteredOffsets::from(meeting_.announced_by(peer));
      meeting_.check_block(peer, theirs.count, options_.blocks.count(peer));
      inputs_[peer] = theirs.input == RegisteredOffsets::PRIVATE
                          ? nullptr
                          : meeting_.memory().registered(peer, theirs.input);
    }
    const std::size_t pieces = Pieces(options_.blocks.largest_count(), longest_).size();
    for (std::size_t piece = 0; piece < pieces; ++piece) {
      if (piece > 0) {
        copy_in(piece);
        meeting_.meet();
      }
      combine(piece);
    }
    // Registered inputs are the caller's again only when nobody reads them any more.
    meeting_.meet();
  }

 private:
  Range range_of(int block, std::size_t piece) const {
    return Pieces(options_.blocks.count(block), longest_)[piece];
  }

  /// In a staging buffer the piece of block r begins at r · longest_.
  void copy_in(std::size_t piece) {
    if (!is_private_) return;
    for (int block = 0; block < meeting_.size(); ++block) {
      const Range range = range_of(block, piece);
      if (range.count() == 0 || block == meeting_.rank()) continue;
      std::memcpy(meeting_.next_piece() + static_cast<std::size_t>(block) * longest_ * element_bytes_,
                  options_.input + (options_.blocks.offset(block) + range.begin) * element_bytes_,
                  range.count() * element_bytes_);
    }
  }

  void combine(std::size_t piece) {
    const int block = meeting_.rank();
    const Range range = range_of(block, piece);
    const std::size_t offset = (options_.blocks.offset(block) + range.begin) * element_bytes_;
    for (int peer = 0; peer < meeting_.size(); ++peer) {
      if (peer == meeting_.rank()) {
        operands_[peer] = options_.input + offset;
      } else if (inputs_[peer] != nullptr) {
        operands_[peer] = inputs_[peer] + offset;
      } else {
        operands_[peer] =
            meeting_.piece_of(peer) + static_cast<std::size_t>(block) * longest_ * element_bytes_;
      }
    }
    reduce_all(options_.output + range.begin * element_bytes_, operands_.all(), range.count(),
               meeting_.signature().type, meeting_.signature().op);
    meeting_.count_read_from_all(range.count() * element_bytes_);
  }

  const DirectReduceScatterOptions& options_;
  const Meeting meeting_;
  const std::size_t element_bytes_;
  const std::size_t longest_;  ///< piece of a block, in elements
  bool is_private_ = true;
  direct::PerRank<const void> operands_;
  direct::PerRank<const std::byte> inputs_;  ///< registered ones; null where they go through staging
};

}  // namespace

void direct_reduce_scatter(const DirectReduceScatterOptions& options) { ReduceScatter(options).run(); }

}  // namespace lockstep

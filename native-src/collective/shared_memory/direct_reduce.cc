#include "collective/shared_memory/direct_reduce.h"

#include "collective/shared_memory/direct.h"
#include "core/data_type.h"
#include "core/reduce.h"

namespace lockstep {
namespace {

using direct::Meeting;
using direct::Range;
using direct::RegisteredOffsets;

class Reduce {
 public:
  explicit Reduce(const DirectReduceOptions& options)
      : options_(options),
        meeting_(options.collective),
        at_root_(meeting_.rank() == options.root),
        element_bytes_(size_of(meeting_.signature().type)),
        pieces_(options.count, meeting_.memory().staging_bytes() / element_bytes_),
        operands_(meeting_.size()),
        inputs_(meeting_.size()) {}

  void run() {
    const std::size_t bytes = options_.count * element_bytes_;
    if (Meeting::fits_in_announcement(bytes)) return combine_announced(bytes);
    RegisteredOffsets own;
    own.input = meeting_.registered(options_.input, bytes);
    is_private_ = own.input == RegisteredOffsets::PRIVATE;
    copy_in(0);
    meeting_.announce(own.bytes());
    for (int peer = 0; peer < meeting_.size(); ++peer) {
      const RegisteredOffsets theirs =
          peer == meeting_.rank() ? own : RegisteredOffsets::from(meeting_.announced_by(peer));
      inputs_[peer] = theirs.input == RegisteredOffsets::PRIVATE
                          ? nullptr
                          : meeting_.memory().registered(peer, theirs.input);
    }
    for (std::size_t piece = 0; piece <= pieces_.size(); ++piece) {
      if (piece > 0) {
        copy_in(piece);
        meeting_.meet();
        if (at_root_) copy_out(piece - 1);
      }
      if (piece < pieces_.size()) combine_slice(piece);
    }
  }

 private:
  void combine(void* target, std::size_t count) {
    reduce_all(target, operands_.all(), count, meeting_.signature().type, meeting_.signature().op);
  }

  void combine_announced(std::size_t bytes) {
    meeting_.announce({options_.input, bytes});
    for (int peer = 0; peer < meeting_.size(); ++peer) {
      operands_[peer] = peer == meeting_.rank() ? options_.input : meeting_.announced_by(peer);
    }
    if (!at_root_) return;
    combine(options_.output, options_.count);
    meeting_.count_read_from_all(bytes);
  }

  void combine_slice(std::size_t piece) {
    const Range range = pieces_[piece];
    const Range slice = direct::slice_of(range.count(), element_bytes_, meeting_.rank(), meeting_.size());
    for (int peer = 0; peer < meeting_.size(); ++peer) {
      const std::byte* const begin =
          inputs_[peer] == nullptr ? meeting_.piece_of(peer) : inputs_[peer] + range.begin * element_bytes_;
      operands_[peer] = begin + slice.begin * element_bytes_;
    }
    combine(meeting_.result() + slice.begin * element_bytes_, slice.count());
    meeting_.count_read_from_all(slice.count() * element_bytes_);
  }

  void copy_in(std::size_t piece) {
    const Range range = pieces_[piece];
    if (!is_private_ || range.count() == 0) return;
    std::memcpy(meeting_.next_piece(), options_.input + range.begin * element_bytes_,
                range.count() * element_bytes_);
  }

  void copy_out(std::size_t piece) {
    const Range range = pieces_[piece];
    for (int peer = 0; peer < meeting_.size(); ++peer) {
      const Range slice = direct::slice_of(range.count(), element_bytes_, peer, meeting_.size());
      std::memcpy(options_.output + (range.begin + slice.begin) * element_bytes_,
                  meeting_.last_result_of(peer) + slice.begin * element_bytes_,
                  slice.count() * element_bytes_);
    }
  }

  const DirectReduceOptions& options_;
  const Meeting meeting_;
  const bool at_root_;
  const std::size_t element_bytes_;
  const direct::Pieces pieces_;
  bool is_private_ = true;
  direct::PerRank<const void> operands_;
  direct::PerRank<const std::byte> inputs_;  ///< registered ones; null where they go through staging
};

}  // namespace

void direct_reduce(const DirectReduceOptions& options) { Reduce(options).run(); }

}  // namespace lockstep

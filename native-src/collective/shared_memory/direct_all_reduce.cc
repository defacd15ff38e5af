#include "collective/shared_memory/direct_all_reduce.h"

#include <algorithm>
#include <cstring>

#include "collective/shared_memory/direct.h"
#include "core/data_type.h"
#include "core/reduce.h"

namespace lockstep {
namespace {

using direct::Meeting;
using direct::Range;
using direct::RegisteredOffsets;

/// What is combined and handed on at a time; it stays in the L1 cache between the two.
constexpr std::size_t TILE_BYTES = 8 << 10;

class AllReduce {
 public:
  explicit AllReduce(const DirectAllReduceOptions& options)
      : options_(options),
        meeting_(options.collective),
        element_bytes_(size_of(meeting_.signature().type)),
        bytes_(options.count * element_bytes_),
        operands_(meeting_.size()),
        inputs_(meeting_.size()),
        outputs_(meeting_.size()) {}

  void run() {
    if (Meeting::fits_in_announcement(bytes_)) return combine_announced();
    own_.input = meeting_.registered(options_.input, bytes_);
    own_.output = meeting_.registered(options_.output, bytes_);
    const bool is_registered =
        own_.input != RegisteredOffsets::PRIVATE && own_.output != RegisteredOffsets::PRIVATE;
    if (!is_registered) {
      own_ = {};
      copy_in(0);
    }
    meeting_.announce(own_.bytes());
    const int registered_ranks = learn_buffers();
    if (registered_ranks == meeting_.size()) return combine_registered();
    if (registered_ranks > 0) {
      // Who has registered buffers did not know that others have not.
      copy_in(0);
      meeting_.meet();
    }
    if (meeting_.size() == 2) return combine_pieces();
    combine_slices();
  }

 private:
  void combine(void* target, std::size_t count) {
    reduce_all(target, operands_.all(), count, meeting_.signature().type, meeting_.signature().op);
  }

  void combine_announced() {
    meeting_.announce({options_.input, bytes_});
    for (int peer = 0; peer < meeting_.size(); ++peer) {
      operands_[peer] = peer == meeting_.rank() ? options_.input : meeting_.announced_by(peer);
    }
    combine(options_.output, options_.count);
    meeting_.count_read_from_all(bytes_);
  }

  void combine_registered() {
    write_slice_to_all();
    meeting_.meet();
  }

  void write_slice_to_all() {
    const SharedMemory::Touching touching(meeting_.memory());
    const Range slice = direct::slice_of(options_.count, element_bytes_, meeting_.rank(), meeting_.size());
    const std::size_t tile = TILE_BYTES / element_bytes_;
    for (std::size_t begin = slice.begin; begin < slice.end; begin += tile) {
      const std::size_t count = std::min(tile, slice.end - begin);
      const std::size_t offset = begin * element_bytes_;
      for (int peer = 0; peer < meeting_.size(); ++peer) operands_[peer] = inputs_[peer] + offset;
      std::byte* const own = options_.output + offset;
      combine(own, count);
      for (int peer = 0; peer < meeting_.size(); ++peer) {
        if (peer != meeting_.rank()) std::memcpy(outputs_[peer] + offset, own, count * element_bytes_);
      }
    }
    meeting_.count_read_from_all(slice.count() * element_bytes_);
  }

  /// @return how many ranks have registered buffers
  int learn_buffers() {
    int registered_ranks = 0;
    for (int peer = 0; peer < meeting_.size(); ++peer) {
      const RegisteredOffsets theirs =
          peer == meeting_.rank() ? own_ : RegisteredOffsets::from(meeting_.announced_by(peer));
      if (theirs.output == RegisteredOffsets::PRIVATE) continue;
      ++registered_ranks;
      inputs_[peer] = meeting_.memory().registered(peer, theirs.input);
      outputs_[peer] = meeting_.memory().registered(peer, theirs.output);
    }
    return registered_ranks;
  }

  void combine_pieces() {
    for (std::size_t piece = 0; piece < pieces(); ++piece) {
      if (piece > 0) {
        copy_in(piece);
        meeting_.meet();
      }
      const std::size_t offset = piece * piece_bytes();
      for (int peer = 0; peer < meeting_.size(); ++peer) {
        operands_[peer] = peer == meeting_.rank() ? options_.input + offset : meeting_.piece_of(peer);
      }
      combine(options_.output + offset, piece_count(piece));
    }
    meeting_.count_read_from_all(bytes_);
  }

  void combine_slices() {
    for (std::size_t piece = 0; piece <= pieces(); ++piece) {
      if (piece > 0) {
        if (piece < pieces()) copy_in(piece);
        meeting_.meet();
        copy_out(piece - 1);
      }
      if (piece == pieces()) return;
      const Range slice =
          direct::slice_of(piece_count(piece), element_bytes_, meeting_.rank(), meeting_.size());
      const std::size_t offset = slice.begin * element_bytes_;
      for (int peer = 0; peer < meeting_.size(); ++peer) operands_[peer] = meeting_.piece_of(peer) + offset;
      combine(meeting_.result() + offset, slice.count());
    }
  }

  void copy_in(std::size_t piece) {
    std::memcpy(meeting_.next_piece(), options_.input + piece * piece_bytes(),
                piece_count(piece) * element_bytes_);
  }

  void copy_out(std::size_t piece) {
    for (int peer = 0; peer < meeting_.size(); ++peer) {
      const Range slice = direct::slice_of(piece_count(piece), element_bytes_, peer, meeting_.size());
      const std::size_t offset = slice.begin * element_bytes_;
      std::memcpy(options_.output + piece * piece_bytes() + offset, meeting_.last_result_of(peer) + offset,
                  slice.count() * element_bytes_);
      // As much has been combined of it before.
      meeting_.count_read(peer, 2 * slice.count() * element_bytes_);
    }
  }

  std::size_t longest_piece() const { return meeting_.memory().staging_bytes() / element_bytes_; }
  std::size_t piece_bytes() const { return longest_piece() * element_bytes_; }
  std::size_t pieces() const { return (options_.count + longest_piece() - 1) / longest_piece(); }
  std::size_t piece_count(std::size_t piece) const {
    return std::min(longest_piece(), options_.count - piece * longest_piece());
  }

  const DirectAllReduceOptions& options_;
  const Meeting meeting_;
  const std::size_t element_bytes_;
  const std::size_t bytes_;
  direct::PerRank<const void> operands_;
  direct::PerRank<const std::byte> inputs_;  ///< registered
  direct::PerRank<std::byte> outputs_;       ///< registered
  RegisteredOffsets own_;
};

}  // namespace

void direct_all_reduce(const DirectAllReduceOptions& options) { AllReduce(options).run(); }

}  // namespace lockstep

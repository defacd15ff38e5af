#include "collective/shared_memory/direct_all_gather.h"

#include "collective/shared_memory/direct.h"
#include "core/data_type.h"

namespace lockstep {
namespace {

using direct::Meeting;
using direct::Pieces;
using direct::Range;
using direct::RegisteredOffsets;

class AllGather {
 public:
  explicit AllGather(const DirectAllGatherOptions& options)
      : options_(options),
        meeting_(options.collective),
        element_bytes_(size_of(meeting_.signature().type)),
        inputs_(meeting_.size()) {}

  void run() {
    const std::size_t largest = options_.blocks.largest_count() * element_bytes_;
    if (Meeting::fits_in_announcement(sizeof(RegisteredOffsets) + largest)) return gather_announced();
    RegisteredOffsets own;
    own.count = options_.blocks.count(meeting_.rank());
    own.input = meeting_.registered(options_.input, bytes_of(meeting_.rank()));
    const bool is_private = own.input == RegisteredOffsets::PRIVATE;
    if (is_private) copy_in(0);
    meeting_.announce(own.bytes());
    for (int peer = 0; peer < meeting_.size(); ++peer) {
      const RegisteredOffsets theirs =
          peer == meeting_.rank() ? own : RegisteredOffsets::from(meeting_.announced_by(peer));
      meeting_.check_block(peer, theirs.count, options_.blocks.count(peer));
      inputs_[peer] = theirs.input == RegisteredOffsets::PRIVATE
                          ? nullptr
                          : meeting_.memory().registered(peer, theirs.input);
    }
    copy(meeting_.rank(), options_.input, {0, bytes_of(meeting_.rank())});
    const std::size_t pieces = Pieces(largest, meeting_.memory().staging_bytes()).size();
    for (std::size_t piece = 0; piece < pieces; ++piece) {
      if (piece > 0) {
        if (is_private) copy_in(piece);
        meeting_.meet();
      }
      copy_out(piece);
    }
    // Registered inputs are the caller's again only when nobody reads them any more.
    meeting_.meet();
  }

 private:
  /// The blocks travel in the announcements, behind their lengths.
  void gather_announced() {
    std::array<std::byte, shared_memory::Announcement::PAYLOAD> said;
    const std::uint64_t count = options_.blocks.count(meeting_.rank());
    std::memcpy(said.data(), &count, sizeof(count));
    if (count > 0) std::memcpy(said.data() + sizeof(count), options_.input, bytes_of(meeting_.rank()));
    meeting_.announce({said.data(), sizeof(count) + bytes_of(meeting_.rank())});
    for (int peer = 0; peer < meeting_.size(); ++peer) {
      const std::byte* const theirs = peer == meeting_.rank() ? said.data() : meeting_.announced_by(peer);
      std::uint64_t their_count = 0;
      std::memcpy(&their_count, theirs, sizeof(their_count));
      meeting_.check_block(peer, their_count, options_.blocks.count(peer));
      copy(peer, theirs + sizeof(their_count), {0, bytes_of(peer)});
    }
  }

  std::size_t bytes_of(int rank) const { return options_.blocks.count(rank) * element_bytes_; }

  Range range_of(int rank, std::size_t piece) const {
    return Pieces(bytes_of(rank), meeting_.memory().staging_bytes())[piece];
  }

  void copy_in(std::size_t piece) {
    const Range range = range_of(meeting_.rank(), piece);
    if (range.count() > 0) std::memcpy(meeting_.next_piece(), options_.input + range.begin, range.count());
  }

  void copy_out(std::size_t piece) {
    // Beginning with the next rank, so that not all read from one at a time.
    for (int step = 1; step < meeting_.size(); ++step) {
      const int peer = (meeting_.rank() + step) % meeting_.size();
      const Range range = range_of(peer, piece);
      const bool is_registered = inputs_[peer] != nullptr;
      copy(peer, is_registered ? inputs_[peer] + range.begin : meeting_.piece_of(peer), range);
    }
  }

  /// @param range of the block, in bytes
  void copy(int rank, const std::byte* source, Range range) {
    std::byte* const target = options_.output + options_.blocks.offset(rank) * element_bytes_ + range.begin;
    if (range.count() > 0 && target != source) std::memcpy(target, source, range.count());
    meeting_.count_read(rank, range.count());
  }

  const DirectAllGatherOptions& options_;
  const Meeting meeting_;
  const std::size_t element_bytes_;
  direct::PerRank<const std::byte> inputs_;  ///< registered ones; null where they go through staging
};

}  // namespace

void direct_all_gather(const DirectAllGatherOptions& options) { AllGather(options).run(); }

}  // namespace lockstep

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "collective/communicator/communicator.h"

namespace lockstep::learning {

/// The collectives that learners need: sums of integers, which are associative, maxima, and joined lists.
/// Without a communicator a group of one.
class Group {
 public:
  Group() = default;
  explicit Group(Communicator* communicator) : communicator_(communicator) {}

  int rank() const { return communicator_ == nullptr ? 0 : communicator_->rank(); }
  int size() const { return communicator_ == nullptr ? 1 : communicator_->size(); }

  void sum(std::span<std::int64_t> values) const;
  std::int64_t sum(std::int64_t value) const;
  void max(std::span<double> values) const;
  double max(double value) const;

  /// Rank r gets elements [offset of r, + counts[r]) of the sum in `output`.
  void reduce_scatter(std::span<std::int64_t> input, std::span<std::int64_t> output,
                      std::span<const std::int64_t> counts) const;

  /// All ranks' elements in rank order. @param counts elements by rank, where the caller wants to know
  template <typename T>
  std::vector<T> gather(std::span<const T> own, std::vector<std::int64_t>* counts = nullptr) const {
    std::vector<std::int64_t> bytes = lengths(own.size_bytes());
    std::size_t total = 0;
    for (const std::int64_t length : bytes) total += static_cast<std::size_t>(length);
    std::vector<T> all(total / sizeof(T));
    gather_bytes(own.data(), own.size_bytes(), all.data(), bytes);
    if (counts != nullptr) {
      for (std::int64_t& length : bytes) length /= static_cast<std::int64_t>(sizeof(T));
      *counts = bytes;
    }
    return all;
  }
  template <typename T>
  std::vector<T> gather(const std::vector<T>& own) const {
    return gather(std::span<const T>(own));
  }

  /// Part r of `parts` goes to rank r; the result joins what the ranks sent here, in rank order.
  /// @param counts the lengths of the parts received
  std::vector<std::int64_t> exchange(const std::vector<std::vector<std::int64_t>>& parts,
                                     std::vector<std::int64_t>* counts) const;

 private:
  std::vector<std::int64_t> lengths(std::size_t own) const;
  void gather_bytes(const void* own, std::size_t own_bytes, void* all,
                    std::span<const std::int64_t> bytes) const;

  Communicator* communicator_ = nullptr;
};

}  // namespace lockstep::learning

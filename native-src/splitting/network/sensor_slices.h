#pragma once

/// @file
/// The sensors that each rank works on, and sums over all of them whose bits do not depend on who adds what.

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "collective/communicator/communicator.h"

namespace lockstep::splitting {

/// Sensors in order of their number, in leaves of fixed size; a rank owns whole leaves. A sum is taken leaf
/// by leaf, each by its owner, and the leaves' sums are added in order on every rank: the same bits on any
/// number of ranks.
class SensorSlices {
 public:
  SensorSlices(Communicator& group, std::int32_t sensors, std::int32_t sensors_per_leaf = 256);

  std::int32_t begin() const { return begin_; }
  std::int32_t end() const { return end_; }
  std::int32_t size() const { return end_ - begin_; }

  /// Collective. Σ term(sensor) over all sensors, where term gives an array of N numbers for one that this
  /// rank owns.
  template <std::size_t N, typename Term>
  std::array<double, N> sum(const Term& term) const {
    std::vector<double> leaves;
    for (std::int32_t first = begin_; first < end_; first += sensors_per_leaf_) {
      std::array<double, N> leaf{};
      const std::int32_t last = std::min(first + sensors_per_leaf_, end_);
      for (std::int32_t sensor = first; sensor < last; ++sensor) {
        const std::array<double, N> one = term(sensor);
        for (std::size_t k = 0; k < N; ++k) leaf[k] += one[k];
      }
      leaves.insert(leaves.end(), leaf.begin(), leaf.end());
    }
    const std::vector<double> all = gather_leaves(leaves, N);
    std::array<double, N> total{};
    for (std::size_t k = 0; k < all.size(); ++k) total[k % N] += all[k];
    return total;
  }

  /// Collective. @param own size() × width; @param all sensors × width, written
  void gather(std::span<const double> own, std::span<double> all, int width) const;

  /// Collective. Lists of any length, one after the other in order of rank.
  std::vector<double> gather_lists(const std::vector<double>& own) const;

 private:
  std::vector<double> gather_leaves(const std::vector<double>& own, std::size_t width) const;

  Communicator& group_;
  std::int32_t sensors_per_leaf_;
  std::int32_t begin_;
  std::int32_t end_;
  std::vector<std::int64_t> leaves_;   ///< of each rank
  std::vector<std::int64_t> sensors_;  ///< of each rank
};

}  // namespace lockstep::splitting

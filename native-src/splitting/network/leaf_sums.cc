#include "splitting/network/leaf_sums.h"

#include <algorithm>

#include "splitting/network/messages.h"

namespace lockstep::splitting {

template <std::size_t N>
std::array<double, N> sum_of_all(Communicator& group, const Partition& partition,
                                 std::span<const std::array<double, N>> terms) {
  const auto leaf = static_cast<std::size_t>(partition.leaf);
  std::vector<double> own;
  for (std::size_t begin = 0; begin < terms.size(); begin += leaf) {
    std::array<double, N> sum{};
    for (const auto& term : terms.subspan(begin, std::min(leaf, terms.size() - begin))) {
      for (std::size_t i = 0; i < N; ++i) sum[i] += term[i];
    }
    own.insert(own.end(), sum.begin(), sum.end());
  }
  std::vector<std::int64_t> counts;
  for (std::size_t rank = 0; rank + 1 < partition.begins.size(); ++rank) {
    const std::int32_t places = partition.begins[rank + 1] - partition.begins[rank];
    counts.push_back((places + partition.leaf - 1) / partition.leaf * static_cast<std::int64_t>(N));
  }
  std::vector<double> all(static_cast<std::size_t>(partition.leaves()) * N);
  gather_all(group, own, all, counts);
  std::array<double, N> total{};
  for (std::size_t i = 0; i < all.size(); ++i) total[i % N] += all[i];
  return total;
}

template std::array<double, 1> sum_of_all(Communicator&, const Partition&,
                                          std::span<const std::array<double, 1>>);
template std::array<double, 3> sum_of_all(Communicator&, const Partition&,
                                          std::span<const std::array<double, 3>>);

}  // namespace lockstep::splitting

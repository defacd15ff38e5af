#pragma once

/// @file
/// The product with the splitting matrices of all entries, and what a rank needs of others for it.

#include <cstdint>
#include <span>
#include <vector>

#include "splitting/sparse/blocks.h"
#include "splitting/sparse/partition.h"
#include "splitting/splitting.h"

namespace lockstep::splitting {

/// What a rank shares with one peer: copies of the peer's slots arrive behind its own ones.
struct Halo {
  int peer;
  std::vector<std::int32_t> sent;  ///< own slots, in the order in which the peer expects them
  std::int32_t first_received;     ///< a slot, from blocks.slots() on
  std::int32_t received;
};

/// Row s: the weights of P^{pq} at the copies of slot s's entry that its sensor mixes, its own among them, in
/// the order of the holders' places, whoever owns them.
struct Mixing {
  std::vector<std::uint32_t> offsets;  ///< slots + 1
  std::vector<std::int32_t> copies;    ///< slots
  std::vector<double> weights;
  std::vector<Halo> halos;  ///< by ascending peer
  std::int32_t all_slots;   ///< own ones and copies of others'

  double row(std::int32_t slot, const double* values) const {
    double sum = 0;
    for (std::uint32_t i = offsets[static_cast<std::size_t>(slot)];
         i < offsets[static_cast<std::size_t>(slot) + 1]; ++i) {
      sum += weights[i] * values[copies[i]];
    }
    return sum;
  }
  std::span<const std::int32_t> copies_of(std::int32_t slot) const {
    const auto at = static_cast<std::size_t>(slot);
    return std::span(copies).subspan(offsets[at], offsets[at + 1] - offsets[at]);
  }
};

/// The identity block's rows have themselves alone, with weight 2: it needs no exchange.
/// @param rank the one that owns the blocks
Mixing make_mixing(const Blocks& blocks, const Partition& partition, int rank, Design design);

}  // namespace lockstep::splitting

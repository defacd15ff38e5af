#pragma once

/// @file
/// Which sensors hold an entry of S in the sparse form. Sensors are named by their places in the partition.

#include <cstdint>
#include <span>
#include <vector>

#include "splitting/network/network.h"
#include "splitting/sparse/partition.h"
#include "splitting/sparse/rows.h"

namespace lockstep::splitting {

constexpr std::int32_t NO_RELAY = -1;

/// Entry (p, q) of S's lower right block Y, p ≤ q; (p, p) stands for the rows of X as well.
struct Entry {
  std::int32_t p, q;
  std::span<const std::int32_t> holders;  ///< V_pq, sorted; the relay is one of them
  /// p or q where only third parties hold the entry: those need not be neighbours of each other, but both p
  /// and q are neighbours of all of them. Its copy passes through both proxes.
  std::int32_t relay = NO_RELAY;

  /// A holder that is a neighbour of all others.
  std::int32_t hub(const class Holders& all) const;
};

class Holders {
 public:
  Holders(const Network& network, const Partition& partition);

  std::int32_t sensors() const { return members_.size(); }

  /// The sensors of a block: the one at `place`, then its neighbours in the network's order.
  std::span<const std::int32_t> members(std::int32_t place) const { return members_[place]; }
  bool has(std::int32_t place, std::int32_t member) const;

  /// Whether one of them chose the other as neighbour.
  bool are_neighbors(std::int32_t a, std::int32_t b) const;

  /// Calls visit(entry) for each entry that a place in [begin, end) holds, in ascending order of p, then q.
  template <typename Visitor>
  void for_each(std::int32_t begin, std::int32_t end, Visitor visit) const;

 private:
  void find_partners(std::int32_t p, std::vector<std::int32_t>& partners) const;
  /// @return the relay
  std::int32_t find_holders(std::int32_t p, std::int32_t q, std::vector<std::int32_t>& holders) const;

  Rows members_;
  Rows adjacent_;
  Rows holders_;                            ///< of X_p and Y_pp
  const std::vector<std::int32_t> sensor_;  ///< by place
};

template <typename Visitor>
void Holders::for_each(std::int32_t begin, std::int32_t end, Visitor visit) const {
  std::vector<std::int32_t> partners, holders;
  for (std::int32_t p = 0; p < sensors(); ++p) {
    find_partners(p, partners);
    for (const std::int32_t q : partners) {
      const std::int32_t relay = find_holders(p, q, holders);
      bool is_wanted = false;
      for (const std::int32_t holder : holders) is_wanted |= holder >= begin && holder < end;
      if (is_wanted) visit(Entry{p, q, holders, relay});
    }
  }
}

}  // namespace lockstep::splitting

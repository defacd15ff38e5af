#include "splitting/sparse/mixing.h"

#include <algorithm>

#include "splitting/sparse/entry_weights.h"

namespace lockstep::splitting {
namespace {

// Goes through the entries twice: to count, then to fill in.
class Builder {
 public:
  Builder(const Blocks& blocks, const Partition& partition, int rank, Design design)
      : blocks_(blocks), partition_(partition), rank_(rank), design_(design) {
    const std::size_t ranks = partition.begins.size() - 1;
    received_.resize(ranks, 0);
    mixing_.offsets.resize(static_cast<std::size_t>(blocks.slots()) + 1, 0);
  }

  Mixing build() {
    blocks_.holders().for_each(blocks_.begin(), blocks_.end(), [this](const Entry& entry) {
      look_at(entry);
      count(entry);
    });
    lay_out();
    blocks_.holders().for_each(blocks_.begin(), blocks_.end(), [this](const Entry& entry) {
      look_at(entry);
      fill(entry);
    });
    return std::move(mixing_);
  }

 private:
  bool mixes(std::size_t i, std::size_t j) const { return weights_[i * ranks_of_.size() + j] != 0; }
  bool is_own(std::size_t i) const { return ranks_of_[i] == rank_; }

  void look_at(const Entry& entry) {
    weights_of_entry(blocks_.holders(), entry.holders, design_, weights_);
    ranks_of_.clear();
    for (const std::int32_t place : entry.holders) {
      ranks_of_.push_back(blocks_.owns(place) ? rank_ : partition_.rank_of(place));
    }
  }

  bool mixes_with_rank(std::size_t i, int rank) const {
    for (std::size_t j = 0; j < ranks_of_.size(); ++j) {
      if (ranks_of_[j] == rank && mixes(i, j)) return true;
    }
    return false;
  }

  void count(const Entry& entry) {
    for (std::size_t i = 0; i < ranks_of_.size(); ++i) {
      if (!is_own(i)) {
        if (mixes_with_rank(i, rank_)) {
          received_[static_cast<std::size_t>(ranks_of_[i])] += blocks_.components(entry);
        }
        continue;
      }
      std::uint32_t length = 0;
      for (std::size_t j = 0; j < ranks_of_.size(); ++j) length += mixes(i, j) ? 1 : 0;
      for (int c = 0; c < blocks_.components(entry); ++c) {
        mixing_.offsets[static_cast<std::size_t>(blocks_.slot_of(entry.holders[i], entry, c)) + 1] = length;
      }
    }
  }

  void lay_out() {
    const int d = blocks_.dimension();
    for (std::int32_t place = blocks_.begin(); place < blocks_.end(); ++place) {
      for (int i = 0; i < d * (d + 1) / 2; ++i) {
        mixing_.offsets[static_cast<std::size_t>(blocks_.first_slot(place) + i) + 1] = 1;
      }
    }
    for (std::size_t i = 1; i < mixing_.offsets.size(); ++i) mixing_.offsets[i] += mixing_.offsets[i - 1];
    mixing_.copies.resize(mixing_.offsets.back());
    mixing_.weights.resize(mixing_.offsets.back());
    for (std::int32_t place = blocks_.begin(); place < blocks_.end(); ++place) {
      for (std::int32_t i = 0; i < d * (d + 1) / 2; ++i) {
        const std::int32_t slot = blocks_.first_slot(place) + i;
        mixing_.copies[mixing_.offsets[static_cast<std::size_t>(slot)]] = slot;
        mixing_.weights[mixing_.offsets[static_cast<std::size_t>(slot)]] = 2;
      }
    }
    mixing_.all_slots = blocks_.slots();
    for (std::size_t peer = 0; peer < received_.size(); ++peer) {
      next_copy_.push_back(mixing_.all_slots);
      if (received_[peer] == 0) continue;
      mixing_.halos.push_back({static_cast<int>(peer), {}, mixing_.all_slots, received_[peer]});
      mixing_.all_slots += received_[peer];
    }
  }

  void fill(const Entry& entry) {
    const int components = blocks_.components(entry);
    first_copies_.clear();
    for (std::size_t i = 0; i < ranks_of_.size(); ++i) {
      std::int32_t first = 0;
      if (!is_own(i) && mixes_with_rank(i, rank_)) {
        first = next_copy_[static_cast<std::size_t>(ranks_of_[i])];
        next_copy_[static_cast<std::size_t>(ranks_of_[i])] += components;
      }
      first_copies_.push_back(first);
      if (is_own(i)) send(entry, i);
    }
    for (std::size_t i = 0; i < ranks_of_.size(); ++i) {
      if (!is_own(i)) continue;
      for (int c = 0; c < components; ++c) fill_row(entry, i, c);
    }
  }

  void send(const Entry& entry, std::size_t i) {
    for (Halo& halo : mixing_.halos) {
      if (!mixes_with_rank(i, halo.peer)) continue;
      for (int c = 0; c < blocks_.components(entry); ++c) {
        halo.sent.push_back(blocks_.slot_of(entry.holders[i], entry, c));
      }
    }
  }

  void fill_row(const Entry& entry, std::size_t i, int component) {
    const auto slot = static_cast<std::size_t>(blocks_.slot_of(entry.holders[i], entry, component));
    std::size_t at = mixing_.offsets[slot];
    for (std::size_t j = 0; j < ranks_of_.size(); ++j) {
      if (!mixes(i, j)) continue;
      mixing_.copies[at] =
          is_own(j) ? blocks_.slot_of(entry.holders[j], entry, component) : first_copies_[j] + component;
      mixing_.weights[at] = weights_[i * ranks_of_.size() + j];
      ++at;
    }
  }

  const Blocks& blocks_;
  const Partition& partition_;
  const int rank_;
  const Design design_;
  Mixing mixing_{};
  std::vector<std::int32_t> received_, next_copy_;  ///< by rank
  // Of the entry that is looked at, by holder.
  std::vector<double> weights_;
  std::vector<int> ranks_of_;
  std::vector<std::int32_t> first_copies_;
};

}  // namespace

Mixing make_mixing(const Blocks& blocks, const Partition& partition, int rank, Design design) {
  return Builder(blocks, partition, rank, design).build();
}

}  // namespace lockstep::splitting

#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/counter.h"

namespace lockstep {

/// What went to and came from one peer.
struct PeerCounters {
  Counter messages_sent;
  Counter bytes_sent;
  Counter messages_received;
  Counter bytes_received;
  Counter waited_nanoseconds;  ///< until it sent, or had room for, what was not there at the first look
};

/// The counters of one group. Its transport adds to them on the thread that uses it; any thread reads.
class Traffic {
 public:
  explicit Traffic(int size) : peers_(static_cast<std::size_t>(size)) { calibrate_clock(); }

  int size() const { return static_cast<int>(peers_.size()); }
  const PeerCounters& peer(int rank) const { return peers_[static_cast<std::size_t>(rank)]; }
  /// Of all peers together, and of waits for no peer in particular.
  std::int64_t waited_nanoseconds() const { return waited_.get(); }

  /// What is counted here is counted in `whole` too from now on. That is of a group which contains this one,
  /// is used by the same thread, and outlives this.
  /// @param ranks there, by rank here
  void count_in(Traffic& whole, std::vector<int> ranks) {
    whole_ = &whole;
    rank_in_whole_ = std::move(ranks);
  }

  void sent(int peer, std::size_t bytes) {
    at(peer).messages_sent.add(1);
    at(peer).bytes_sent.add(static_cast<std::int64_t>(bytes));
    if (whole_ != nullptr) whole_->sent(in_whole(peer), bytes);
  }
  void received(int peer, std::size_t bytes) {
    at(peer).messages_received.add(1);
    at(peer).bytes_received.add(static_cast<std::int64_t>(bytes));
    if (whole_ != nullptr) whole_->received(in_whole(peer), bytes);
  }
  /// @param peer a rank, or anything negative for no one in particular
  void waited(int peer, std::int64_t nanoseconds) {
    waited_.add(nanoseconds);
    if (peer >= 0) at(peer).waited_nanoseconds.add(nanoseconds);
    if (whole_ != nullptr) whole_->waited(peer < 0 ? peer : in_whole(peer), nanoseconds);
  }

  /// Counts the time of its scope as waiting. Made only once the first look was in vain, so that what is
  /// there already costs no look at the clock.
  class Wait {
   public:
    Wait(Traffic& traffic, const int& peer) : traffic_(traffic), peer_(peer), began_(clock_nanoseconds()) {}
    ~Wait() { traffic_.waited(peer_, clock_nanoseconds() - began_); }
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;

   private:
    Traffic& traffic_;
    const int& peer_;  ///< looked at in the end: a receive from any rank knows it only then
    const std::int64_t began_;
  };

 private:
  PeerCounters& at(int peer) { return peers_[static_cast<std::size_t>(peer)]; }
  int in_whole(int peer) const { return rank_in_whole_[static_cast<std::size_t>(peer)]; }

  std::vector<PeerCounters> peers_;
  Counter waited_;
  Traffic* whole_ = nullptr;
  std::vector<int> rank_in_whole_;
};

}  // namespace lockstep

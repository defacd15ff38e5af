#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "channel/wire.h"

namespace lockstep::in_process {

class Group;

/// What the wires of the threads of one group share: for each rank, the messages that have been sent to it.
class WireHub {
 public:
  explicit WireHub(int size) : boxes_(static_cast<std::size_t>(size)) {}

 private:
  friend class InProcessWire;

  /// A message, or the goodbye of its source (a header of kind GOODBYE).
  struct Packet {
    tcp::FrameHeader header;
    std::unique_ptr<std::byte[]> data;
  };
  struct Box {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<Packet> packets;
    std::uint64_t events = 0;  ///< packets and wake-ups so far
    bool closed = false;
  };

  /// Collective: the group that the members of a reformation share.
  std::shared_ptr<Group> reform(const Reformation& reformation);

  std::vector<Box> boxes_;
  std::mutex mutex_;
  std::map<std::pair<std::uint32_t, std::vector<int>>, std::shared_ptr<Group>> reformed_;  ///< under mutex_
};

/// The wire between ranks that are threads of one process. Each message is copied when it is sent, so that a
/// send ends at once, however long the message is.
class InProcessWire final : public Wire {
 public:
  InProcessWire(std::shared_ptr<WireHub> hub, int rank) : hub_(std::move(hub)), rank_(rank) {}
  ~InProcessWire() override { close(); }

  int rank() const override { return rank_; }
  int size() const override { return static_cast<int>(hub_->boxes_.size()); }
  void send(tcp::Post& post) override;
  bool take_back(const tcp::Post&) override { return false; }
  bool progress(WireReceiver& receiver) override;
  void prepare_sleep() override;
  void sleep(std::chrono::milliseconds limit) override;
  void wake() noexcept override;
  std::unique_ptr<Transport> reform(const Reformation& reformation) override;
  void close() noexcept override;

 private:
  bool put(int peer, WireHub::Packet packet);

  const std::shared_ptr<WireHub> hub_;
  const int rank_;
  std::uint64_t seen_events_ = 0;
  bool closed_ = false;
};

}  // namespace lockstep::in_process

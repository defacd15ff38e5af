#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "channel/wire.h"
#include "transport/shared_memory/outbox.h"
#include "transport/shared_memory/rings.h"
#include "transport/shared_memory/shared_memory.h"

namespace lockstep::shared_memory {

/// The wire between ranks of one host, over the rings for messages of their segment.
class SharedMemoryWire final : public Wire {
 public:
  /// @param oversubscribed whether there are fewer processors than ranks
  SharedMemoryWire(const Rings& rings, const SharedMemoryOptions& options, bool oversubscribed);
  ~SharedMemoryWire() override { close(); }

  int rank() const override { return rings_.rank(); }
  int size() const override { return rings_.size(); }
  void send(tcp::Post& post) override;
  bool take_back(const tcp::Post& post) override;
  bool progress(WireReceiver& receiver) override;
  void prepare_sleep() override;
  void cancel_sleep() override;
  void sleep(std::chrono::milliseconds limit) override;
  void wake() noexcept override;
  bool polls_yield() const override { return oversubscribed_; }
  std::unique_ptr<Transport> reform(const Reformation& reformation) override;
  void close() noexcept override;

 private:
  bool take_in(int peer, WireReceiver& receiver);
  void look_for_the_gone(WireReceiver& receiver);
  void lose(int peer, const std::optional<Error>& broken, WireReceiver& receiver);

  const Rings rings_;
  const SharedMemoryOptions options_;
  const bool oversubscribed_;
  std::vector<Outbox> outboxes_;  ///< by peer
  std::vector<bool> gone_;        ///< by peer
  std::uint32_t rings_seen_ = 0;
  std::atomic<bool> has_slept_{false};  ///< since the last look for the gone
  std::chrono::steady_clock::time_point looked_{};
  bool closed_ = false;
};

}  // namespace lockstep::shared_memory

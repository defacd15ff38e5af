#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "lockstep/error.h"
#include "transport/tcp/mesh/connection.h"

namespace lockstep {

/// Who takes in what a wire brings. Its functions may throw Error, which the wire takes for a fault of the
/// peer.
class WireReceiver : public tcp::FrameReceiver {
 public:
  /// Nothing more comes from `peer`, nor does anything reach it.
  /// @param broken why; nothing where it has said goodbye
  virtual void peer_gone(int peer, const std::optional<Error>& broken) = 0;

 protected:
  ~WireReceiver() = default;
};

class Deadline;
class Transport;

/// What a wire needs to make the transport of a smaller group.
struct Reformation {
  std::span<const int> members;  ///< ranks here, in the order of their new ranks
  std::uint32_t generation = 0;  ///< of the new group
  /// Collective: `bytes` bytes of each member, in their order.
  std::function<void(const void* own, void* all, std::size_t bytes)> gather;
  const Deadline& deadline;
};

/// What carries the messages of the channels between one rank and each other, beside and independent of the
/// collectives' transport. A message travels as frames, in the order of send() to each peer. A peer that
/// fails takes nothing else down.
///
/// Its user calls everything but sleep() and wake() under one mutex.
class Wire {
 public:
  virtual ~Wire() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;

  /// Queues a send and writes what there is room for. post.complete is set once its memory is no longer
  /// needed: by this call, or by a later progress(). A post to a peer that is gone is dropped.
  virtual void send(tcp::Post& post) = 0;
  /// Takes back a send. @return false where it has begun to travel
  virtual bool take_back(const tcp::Post& post) = 0;

  /// Moves what can be moved without blocking. @return whether anything moved
  virtual bool progress(WireReceiver& receiver) = 0;

  /// From here on whatever comes ends the sleep() that follows. progress() is called in between.
  virtual void prepare_sleep() {}
  /// What prepare_sleep() has begun, where no sleep() follows.
  virtual void cancel_sleep() {}
  /// Blocks until something may have come or there may be room again. One thread at a time.
  virtual void sleep(std::chrono::milliseconds limit) = 0;
  /// Ends a sleep() in another thread.
  virtual void wake() noexcept = 0;
  /// Whether polling takes a processor from the rank that is awaited.
  virtual bool polls_yield() const { return false; }

  /// Collective over the members, while messages go on: a transport with connections of its own, on which
  /// nothing of the old group can arrive. Called by one thread, without the mutex.
  virtual std::unique_ptr<Transport> reform(const Reformation& reformation) = 0;

  /// Says goodbye; no post is touched any more. Idempotent.
  virtual void close() noexcept = 0;
};

}  // namespace lockstep

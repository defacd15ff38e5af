#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "lockstep/error.h"

namespace lockstep {

/// Serial numbers count up over all registries and are never reused, so that no handle can stand for two
/// things.
inline std::atomic<std::uint64_t> next_serial{1};

/// What the handles of one kind stand for. A handle is a serial number and the slot in which its object lies:
/// finding it takes one atomic instruction, which also keeps the object from being taken away.
template <typename T>
class Registry {
  struct Slot {
    /// The serial number of the handle (0: none), whether it is being taken away, and by how many threads it
    /// is in use; a thread that comes with an old handle counts itself in too, and out again.
    std::atomic<std::uint64_t> state{0};
    std::shared_ptr<T> object;
  };

 public:
  /// Keeps the object of a handle in place.
  class Pin {
   public:
    explicit Pin(Slot& slot) : slot_(slot) {}
    ~Pin() { let_go(slot_); }
    Pin(const Pin&) = delete;
    Pin& operator=(const Pin&) = delete;

    T* operator->() const { return slot_.object.get(); }
    T& operator*() const { return *slot_.object; }
    /// For what outlives the call: the object stays after its handle has gone.
    std::shared_ptr<T> share() const { return slot_.object; }

   private:
    Slot& slot_;
  };

  /// @param kind for messages: "communicator"
  explicit Registry(std::string kind) : kind_(std::move(kind)) {}

  std::int64_t insert(std::shared_ptr<T> object) {
    std::lock_guard lock(mutex_);
    if (free_.empty()) grow();
    const std::uint64_t number = free_.back();
    free_.pop_back();
    const std::uint64_t serial = next_serial.fetch_add(1, std::memory_order_relaxed);
    Slot& slot = *find_slot(number);
    slot.object = std::move(object);
    slot.state.fetch_add(serial << SERIAL_SHIFT, std::memory_order_release);
    return static_cast<std::int64_t>(serial << SLOT_BITS | number);
  }

  /// @throws Error CLOSED, or INVALID_ARGUMENT for a number that was never a handle
  Pin find(std::int64_t handle) const {
    Slot* slot = find_slot(number_of(handle));
    if (slot == nullptr || handle <= 0) refuse(handle);
    const std::uint64_t state = slot->state.fetch_add(1, std::memory_order_acquire);
    if (state >> SERIAL_SHIFT != serial_of(handle) || (state & LEAVING) != 0) {
      let_go(*slot);
      refuse(handle);
    }
    return Pin(*slot);
  }

  /// Takes the handle away: from here on nobody finds it. `end` is given the object and makes whoever still
  /// uses it return; remove() waits for them.
  /// @return null when it is not open
  template <typename End>
  std::shared_ptr<T> remove(std::int64_t handle, const End& end) {
    Slot* slot = find_slot(number_of(handle));
    if (slot == nullptr || handle <= 0) return nullptr;
    std::uint64_t state = slot->state.load(std::memory_order_acquire);
    do {
      if (state >> SERIAL_SHIFT != serial_of(handle) || (state & LEAVING) != 0) return nullptr;
    } while (!slot->state.compare_exchange_weak(state, state | LEAVING, std::memory_order_acq_rel));
    end(*slot->object);
    while (((state = slot->state.load(std::memory_order_acquire)) & USERS) != 0) slot->state.wait(state);
    std::shared_ptr<T> object = std::move(slot->object);
    slot->state.fetch_and(USERS, std::memory_order_release);
    std::lock_guard lock(mutex_);
    free_.push_back(number_of(handle));
    return object;
  }

  bool was_given_out(std::int64_t handle) const {
    return handle > 0 && serial_of(handle) > 0 &&
           serial_of(handle) < next_serial.load(std::memory_order_relaxed);
  }

  [[noreturn]] void refuse(std::int64_t handle) const {
    if (was_given_out(handle)) {
      throw Error(ErrorCode::CLOSED,
                  "The " + kind_ + " with handle " + std::to_string(handle) + " has been closed.");
    }
    throw Error(ErrorCode::INVALID_ARGUMENT, "No " + kind_ + " has handle " + std::to_string(handle) + ".");
  }

 private:
  static constexpr int SLOT_BITS = 20;  // a million open at a time
  static constexpr int CHUNK_BITS = 10;
  static constexpr std::uint64_t CHUNK = 1U << CHUNK_BITS;
  static constexpr std::uint64_t CHUNKS = 1U << (SLOT_BITS - CHUNK_BITS);
  static constexpr int SERIAL_SHIFT = 21;
  static constexpr std::uint64_t LEAVING = 1U << 20;
  static constexpr std::uint64_t USERS = LEAVING - 1;

  static std::uint64_t number_of(std::int64_t handle) {
    return static_cast<std::uint64_t>(handle) & ((1U << SLOT_BITS) - 1);
  }
  static std::uint64_t serial_of(std::int64_t handle) {
    return static_cast<std::uint64_t>(handle) >> SLOT_BITS;
  }

  static void let_go(Slot& slot) {
    if (slot.state.fetch_sub(1, std::memory_order_release) & LEAVING) [[unlikely]]
      slot.state.notify_all();
  }

  Slot* find_slot(std::uint64_t number) const {
    Slot* chunk = chunks_[number >> CHUNK_BITS].load(std::memory_order_acquire);
    return chunk == nullptr ? nullptr : chunk + (number & (CHUNK - 1));
  }

  /// Chunks stay for good: a thread may come with a handle that was closed long ago.
  void grow() {
    if (grown_ == CHUNKS) throw Error(ErrorCode::SYSTEM, "Too many " + kind_ + "s are open.");
    free_.reserve((grown_ + 1) * CHUNK);
    for (std::uint64_t i = CHUNK; i > 0; --i) free_.push_back(grown_ * CHUNK + i - 1);
    chunks_[grown_++].store(new Slot[CHUNK], std::memory_order_release);
  }

  const std::string kind_;
  std::array<std::atomic<Slot*>, CHUNKS> chunks_{};
  std::mutex mutex_;  ///< guards what follows
  std::uint64_t grown_ = 0;
  std::vector<std::uint64_t> free_;
};

}  // namespace lockstep

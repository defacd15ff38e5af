#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "lockstep/types.h"

namespace lockstep::test {

/// Two 64-bit words in a file that a rank and whoever started it map: where the rank is, and what it is asked
/// to do. So the other side knows in which operation a rank is, even after it has killed it.
class Progress {
 public:
  /// Of nobody, where the path is empty.
  explicit Progress(const std::string& path);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void enter(std::uint64_t round, Operation operation) { say(round, operation, 1); }
  void leave(std::uint64_t round, Operation operation) { say(round, operation, 0); }
  bool is_asked_to_end() const { return words_->order.load(std::memory_order_relaxed) != 0; }

 private:
  struct Words {
    std::atomic<std::uint64_t> place{0};  ///< round × 65,536 + operation × 256 + (1 inside)
    std::atomic<std::uint64_t> order{0};  ///< 1: end the program together, after some more rounds
  };

  void say(std::uint64_t round, Operation operation, std::uint64_t inside) {
    words_->place.store(round << 16 | static_cast<std::uint64_t>(operation) << 8 | inside);
  }

  Words own_;
  Words* words_ = &own_;
};

}  // namespace lockstep::test

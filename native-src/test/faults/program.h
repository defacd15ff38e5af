#pragma once

#include <memory>
#include <random>
#include <stdexcept>
#include <vector>

#include "../random_step.h"
#include "collective/communicator/communicator.h"
#include "progress.h"

namespace lockstep::test {

/// A result that is not what the definition of its operation says, or memory beside it that was touched.
class WrongResult : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Random operations, the same sequence on all ranks that name the same seed, each checked at once. How a
/// rank goes about its part (in place or not, in registered memory or not, in the background or not) it
/// decides for itself.
class Program {
 public:
  Program(Communicator& group, Progress& progress, unsigned seed, std::size_t longest);

  /// One operation. @throws Error, WrongResult
  void run_round();
  /// Collective: whether any rank was asked to end.
  bool is_over();

  std::uint64_t round() const { return round_; }
  Operation operation() const { return operation_; }

 private:
  struct Memory {
    std::shared_ptr<std::byte> address;
    std::size_t bytes = 0;
  };
  struct Buffer {
    Bytes plain;
    std::byte* address = nullptr;
  };

  void enter(Operation operation);
  void leave() { progress_.leave(round_, operation_); }
  std::size_t draw_length();
  void draw_algorithm(Operation operation);
  Buffer make_buffer(Communicator& group, Memory& registered, const Bytes& content);
  void run_step(Communicator& group, Step& step);
  void execute(Communicator& group, const RawRequest& raw);
  void exchange(Communicator& group, const Call& send, const Call& receive);
  void check(const Step& step, const Buffer& input, const Buffer& output) const;
  void run_collective();
  void pass_around();
  void split();

  Communicator& group_;
  Progress& progress_;
  const std::size_t longest_;
  std::mt19937 common_;  ///< draws what all ranks must agree on
  std::mt19937 own_;
  Memory input_;
  Memory output_;
  std::uint64_t round_ = 0;
  Operation operation_ = Operation::BARRIER;
};

}  // namespace lockstep::test

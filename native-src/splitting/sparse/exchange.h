#pragma once

/// @file
/// The exchange of entries at the boundary between ranks.

#include <memory>
#include <span>
#include <vector>

#include "channel/message.h"
#include "collective/communicator/communicator.h"
#include "splitting/sparse/mixing.h"

namespace lockstep::splitting {

/// Copies of others' slots, brought up to date while this rank works on. One exchange at a time.
class Exchange {
 public:
  Exchange(Communicator& group, const Mixing& mixing);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  /// Takes the slots that others need; their copies arrive in values[slots …] until wait() returns.
  void post(double* values);
  void wait();

 private:
  void await(Message& message);

  Communicator& group_;
  const Mixing& mixing_;
  std::vector<std::vector<double>> staging_;  ///< by halo
  std::vector<std::shared_ptr<Message>> messages_;
};

}  // namespace lockstep::splitting

#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "transport/tcp/handshake/rendezvous.h"
#include "transport/tcp/wire/control.h"

namespace lockstep::tcp {

/// Rank 0's part of the rendezvous: waits until every rank has reported, then tells each where the others
/// listen. The connections on which they reported stay as those between rank 0 and them.
class MasterRendezvous {
 public:
  MasterRendezvous(Mesh& mesh, std::string where, const Deadline& deadline);

  /// @throws Error TIMEOUT naming the ranks that have not come; RENDEZVOUS for a rank that came twice or with
  /// another
  ///         world size. Whoever has reported is told too.
  void run();

 private:
  void receive(Acceptor::Arrival arrival);
  void forget_the_gone();
  void send_roster();
  [[noreturn]] void fail(const Error& error);
  std::vector<int> missing() const;
  Error incomplete() const;

  Mesh& mesh_;
  const std::string where_;
  const Deadline& deadline_;
  std::vector<std::string> came_from_;
  Roster roster_;
  bool changed_ = false;
  Deadline::Clock::time_point roster_sent_{};
};

/// "rank 2", "ranks 1, 3 and 4"; the first twelve and a count when there are more
std::string name_ranks(const std::vector<int>& ranks);

}  // namespace lockstep::tcp

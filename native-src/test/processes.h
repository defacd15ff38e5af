#pragma once

#include <sys/mman.h>
#include <sys/types.h>

#include <functional>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "collective/communicator/communicator.h"
#include "collective/hosts/hosts.h"

namespace lockstep::test {

/// Ranks as processes of their own, forked from the test (which must have no other threads then). Each runs
/// body(rank) and ends; its failures and exceptions go to stderr. Those that have not ended when the deadline
/// passes, or when this object goes, are killed.
class RankProcesses {
 public:
  RankProcesses(int ranks, const std::function<void(int)>& body);
  ~RankProcesses();
  RankProcesses(const RankProcesses&) = delete;
  RankProcesses& operator=(const RankProcesses&) = delete;

  pid_t id(int rank) const { return ids_[static_cast<std::size_t>(rank)]; }

  /// Expects that `rank` ends without a failure within `seconds`.
  void expect_success(int rank, double seconds = 60);
  /// Expects that a signal has ended it.
  void expect_killed(int rank);

 private:
  int status_of(int rank, double seconds);

  std::vector<pid_t> ids_;
};

/// Memory that forked ranks share for the length of a test, to tell each other and the test something.
template <typename T>
class Shared {
 public:
  Shared()
      : value_(new (::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))
                   T()) {}
  ~Shared() { ::munmap(value_, sizeof(T)); }
  T* operator->() const { return value_; }

 private:
  T* value_;
};

/// A group of forked ranks on one host, over shared memory, formed over TCP.
std::unique_ptr<Communicator> open_host_group(int rank, int ranks, int port, double timeout,
                                              const HostOptions& options = {});

/// Names of the segments in /dev/shm that carry this label.
std::vector<std::string> segments_labelled(const std::string& label);

}  // namespace lockstep::test

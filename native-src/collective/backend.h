#pragma once

#include <memory>
#include <string>

#include "collective/request.h"
#include "core/deadline.h"
#include "lockstep/error.h"

namespace lockstep {

/// Carries out the operations of one group. Implementations: the algorithms in collective/ over a Transport,
/// and the MPI library's own collectives. Requests arrive validated, one at a time, never after an error; the
/// Communicator in front does the rest (handles, order, threads, statistics, what a group of one does).
class LOCKSTEP_API Backend {
 public:
  virtual ~Backend() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;
  virtual std::string name() const = 0;

  /// Blocks until this rank's part is done. @return for RECEIVE the rank that sent, otherwise 0
  virtual int execute(const Request& request, const Deadline& deadline) = 0;

  /// Collective. @return the new group's backend, or null where color < 0
  virtual std::unique_ptr<Backend> split(int color, int key, const Deadline& deadline) = 0;

  /// Tells the peers, as far as possible, that the group has failed.
  virtual void abort(const Error& reason) noexcept = 0;

  /// Leaves the group. Idempotent.
  virtual void close() noexcept = 0;
};

}  // namespace lockstep

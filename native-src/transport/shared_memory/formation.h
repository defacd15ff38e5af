#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "transport/shared_memory/shared_memory.h"

namespace lockstep::shared_memory {

/// What a rank tells the others while a segment is being made. Crosses processes of one host as it is.
struct Report {
  enum State : std::uint32_t { WELL = 0, FAILED = 1, CANNOT_REACH = 2 };

  std::uint32_t state = WELL;
  Segment::Place place;           ///< of the segment, from the rank that made it
  std::array<char, 92> name{};    ///< of the segment, where some rank could not reach it without
  std::array<char, 416> error{};  ///< why this rank failed
};

/// Collective: gives every rank's report to every rank, in an order that is the same on all.
using Exchange = std::function<std::vector<Report>(const Report&)>;

/// Who makes and who joins a segment.
struct Place {
  int rank = 0;            ///< in the new group
  int size = 0;            ///< of the new group
  std::size_t leader = 0;  ///< whose report names the segment: index into what Exchange returns
  std::string label;       ///< part of the segment's name
};

/// Collective over the ranks of an exchange, which may form several groups at a time: rank 0 of each makes a
/// segment and the others join it, by a name where they must, which is then forgotten. All succeed, or all
/// fail.
/// @return null with `reason` where memory cannot be shared, on every rank of the exchange; null without one
/// for a group of one
/// @throws what `exchange` throws
std::unique_ptr<SharedMemory> form(const Place& place, const SharedMemoryOptions& options,
                                   const Exchange& exchange, std::string& reason);

}  // namespace lockstep::shared_memory

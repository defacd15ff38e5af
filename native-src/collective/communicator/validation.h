#pragma once

#include <cstdint>
#include <vector>

#include "collective/communicator/request.h"

namespace lockstep {

/// One operation as it crosses the JNI boundary: codes, addresses and lengths, nothing of it checked.
struct RawRequest {
  std::int32_t operation;
  std::int32_t type;
  std::int32_t op;
  std::int32_t root_or_peer;
  std::int32_t tag;
  std::int64_t input;
  std::int64_t output;
  std::int64_t count;
  std::int64_t counts;
};

/// A checked request. What its operation does not look at (the output of ranks that are not the root, the
/// root of an all-reduce …) is set to null, zero or the default, so that equal calls have equal requests.
struct ValidatedRequest {
  Request request;
  std::vector<std::int64_t> counts;  ///< owns what request.counts shows
  std::size_t input_bytes = 0;       ///< what this rank puts in

  ValidatedRequest() = default;
  ValidatedRequest(ValidatedRequest&&) = default;  // A copy's request.counts would show the original's.
  ValidatedRequest& operator=(ValidatedRequest&&) = default;
};

/// @throws Error INVALID_ARGUMENT saying which argument is wrong
ValidatedRequest validate(const RawRequest& raw, int rank, int size);

}  // namespace lockstep

#pragma once

#include <cstddef>
#include <vector>

#include "collective/backend/backend.h"
#include "collective/communicator/request.h"

namespace lockstep {

/// A small value of every rank, by rank; collective. A failure ends the group, because the memory ends here
/// that it may still touch.
template <typename T>
std::vector<T> gather_values(Backend& backend, const T& own, const Deadline& deadline) {
  std::vector<T> values(static_cast<std::size_t>(backend.size()));
  Request request;
  request.operation = Operation::ALL_GATHER;
  request.input = reinterpret_cast<const std::byte*>(&own);
  request.output = reinterpret_cast<std::byte*>(values.data());
  request.count = sizeof(T);
  try {
    backend.execute(request, deadline);
  } catch (const Error& error) {
    backend.abort(error);
    backend.close();
    throw;
  }
  return values;
}

}  // namespace lockstep

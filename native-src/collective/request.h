#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "lockstep/types.h"

namespace lockstep {

/// One validated operation; see run() in lockstep/communicator.h for what each field means for each
/// operation.
struct Request {
  Operation operation = Operation::BARRIER;
  DataType type = DataType::U8;
  ReduceOp op = ReduceOp::SUM;
  int root_or_peer = 0;
  int tag = 0;
  const std::byte* input = nullptr;
  std::byte* output = nullptr;
  std::size_t count = 0;
  std::span<const std::int64_t> counts;  ///< empty when every rank's count is the same
};

}  // namespace lockstep

#pragma once

#include <cstdint>
#include <vector>

#include "collective/communicator/communicator.h"
#include "typed_data.h"

namespace lockstep::test {

/// The arguments of one operation, for tests to fill in by name.
struct Call {
  Operation operation = Operation::BARRIER;
  DataType type = DataType::U8;
  ReduceOp op = ReduceOp::SUM;
  int root_or_peer = 0;
  int tag = 0;
  const void* input = nullptr;
  void* output = nullptr;
  std::size_t count = 0;
  const std::vector<std::int64_t>* counts = nullptr;

  RawRequest raw() const {
    return {static_cast<std::int32_t>(operation),
            static_cast<std::int32_t>(type),
            static_cast<std::int32_t>(op),
            root_or_peer,
            tag,
            reinterpret_cast<std::int64_t>(input),
            reinterpret_cast<std::int64_t>(output),
            static_cast<std::int64_t>(count),
            counts == nullptr ? 0 : reinterpret_cast<std::int64_t>(counts->data())};
  }
};

inline int run(Communicator& communicator, const Call& call) { return communicator.run(call.raw()); }

}  // namespace lockstep::test

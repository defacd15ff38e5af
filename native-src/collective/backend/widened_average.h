#pragma once

#include "collective/backend/collective_context.h"
#include "collective/communicator/request.h"

namespace lockstep {

/// Averages of F16 by algorithms that pass partial sums on: these are F32, because the sum of some ranks'
/// elements may be beyond F16's largest number (65,504) where the average is not. Where ranks reduce in
/// shared memory directly, the sums are F32 anyway.
class LOCKSTEP_API WidenedAverage {
 public:
  static bool applies(const Request& request) {
    return request.type == DataType::F16 && request.op == ReduceOp::AVERAGE &&
           (request.operation == Operation::ALL_REDUCE || request.operation == Operation::REDUCE ||
            request.operation == Operation::REDUCE_SCATTER);
  }

  /// Runs `part` on F32 copies and rounds what it makes once. The copies live as long as this.
  template <typename Part>
  void run(const Request& request, int ranks, const Part& part) {
    part(widen(request, ranks));
    narrow(request);
  }

 private:
  Request widen(const Request& request, int ranks);
  void narrow(const Request& request);

  Scratch input_;
  Scratch output_;
  std::byte* widened_output_ = nullptr;
};

}  // namespace lockstep

#include "collective/backend/single_backend.h"

#include <cstring>

#include "core/data_type.h"

namespace lockstep {

int SingleBackend::execute(const Request& request, const Deadline&) {
  if (request.operation == Operation::REDUCE_STEP) {
    request.step->update(0, request.count, request.input);
    return 0;
  }
  // One operand is its own sum, average, minimum, maximum and product.
  if (request.output != nullptr && request.output != request.input && request.count > 0) {
    std::memcpy(request.output, request.input, request.count * size_of(request.type));
  }
  return 0;
}

std::unique_ptr<Backend> SingleBackend::split(int color, int, const Deadline&) {
  return color < 0 ? nullptr : std::make_unique<SingleBackend>();
}

}  // namespace lockstep

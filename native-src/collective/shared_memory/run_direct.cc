#include "collective/shared_memory/run_direct.h"

#include <cstring>

#include "collective/shared_memory/direct_all_gather.h"
#include "collective/shared_memory/direct_all_reduce.h"
#include "collective/shared_memory/direct_barrier.h"
#include "collective/shared_memory/direct_broadcast.h"
#include "collective/shared_memory/direct_reduce.h"
#include "collective/shared_memory/direct_reduce_scatter.h"
#include "collective/shared_memory/direct_reduce_step.h"
#include "core/data_type.h"
#include "transport/shared_memory/shared_memory.h"

namespace lockstep {
namespace {

Blocks blocks_of(const Request& request, int ranks) {
  return request.counts.empty() ? Blocks::of_equal_count(request.count, ranks)
                                : Blocks::of_counts(request.counts);
}

void run(const Request& request, const CollectiveContext& collective) {
  const int root = request.root_or_peer;
  switch (request.operation) {
    case Operation::BROADCAST:
      if (request.input != nullptr && request.input != request.output) {
        std::memcpy(request.output, request.input, request.count * size_of(request.type));
      }
      return direct_broadcast({collective, root, request.output, request.count});
    case Operation::REDUCE:
      return direct_reduce({collective, root, request.input, request.output, request.count});
    case Operation::ALL_REDUCE:
      return direct_all_reduce({collective, request.input, request.output, request.count});
    case Operation::ALL_GATHER:
      return direct_all_gather(
          {collective, blocks_of(request, collective.size()), request.input, request.output});
    case Operation::REDUCE_SCATTER:
      return direct_reduce_scatter(
          {collective, blocks_of(request, collective.size()), request.input, request.output});
    case Operation::BARRIER:
      return direct_barrier(collective);
    case Operation::REDUCE_STEP:
      return direct_reduce_step({collective, request.input, request.count, *request.step});
    default:
      throw Error(ErrorCode::INVALID_ARGUMENT, name_of(request.operation) + " has no direct form.");
  }
}

}  // namespace

bool has_direct_form(Operation operation) {
  return operation == Operation::BROADCAST || operation == Operation::REDUCE ||
         operation == Operation::ALL_REDUCE || operation == Operation::ALL_GATHER ||
         operation == Operation::REDUCE_SCATTER || operation == Operation::BARRIER;
}

void run_direct(const Request& request, const CollectiveContext& collective) {
  SharedMemory& memory = *collective.transport.shared_memory();
  memory.check_failure();
  memory.note(collective.signature);
  run(request, collective);
}

}  // namespace lockstep

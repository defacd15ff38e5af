#include "core/reduce.h"

#include <string>

#include "core/reduce_kernels.h"
#include "lockstep/error.h"

namespace lockstep {
namespace {

const ReduceKernels& kernels() { return variant_in_use(variants_of_reduce_kernels); }

std::size_t index_of(DataType type) {
  auto index = static_cast<std::size_t>(type);
  if (index < DATA_TYPES) return index;
  throw Error(ErrorCode::INVALID_ARGUMENT, "A reduction was asked for data type code " +
                                               std::to_string(static_cast<int>(type)) +
                                               ", which names no type.");
}

std::size_t index_of(ReduceOp op) {
  auto index = static_cast<std::size_t>(op);
  if (index < REDUCE_OPS) return index;
  throw Error(ErrorCode::INVALID_ARGUMENT, "A reduction was asked for operation code " +
                                               std::to_string(static_cast<int>(op)) +
                                               ", which names no operation.");
}

}  // namespace

void reduce_into(void* target, const void* source, std::size_t count, DataType type, ReduceOp op) {
  reduce_pair(target, target, source, count, type, op);
}

void reduce_pair(void* target, const void* left, const void* right, std::size_t count, DataType type,
                 ReduceOp op) {
  kernels().combine[index_of(type)][index_of(op)](target, left, right, count);
}

void reduce_all(void* target, std::span<const void* const> sources, std::size_t count, DataType type,
                ReduceOp op) {
  if (sources.size() < 2) {
    throw Error(ErrorCode::INVALID_ARGUMENT, "A reduction was asked for over " +
                                                 std::to_string(sources.size()) +
                                                 " buffers; it takes at least two.");
  }
  const int divisor = op == ReduceOp::AVERAGE ? static_cast<int>(sources.size()) : 1;
  kernels().fold[index_of(type)][index_of(op)](target, sources.data(), sources.size(), count, divisor);
}

void finish_average(void* data, std::size_t count, DataType type, int ranks) {
  if (ranks < 1) {
    throw Error(ErrorCode::INVALID_ARGUMENT,
                "An average was asked for over " + std::to_string(ranks) + " ranks; it takes at least one.");
  }
  kernels().divide[index_of(type)](data, count, ranks);
}

}  // namespace lockstep

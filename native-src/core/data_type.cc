#include "core/data_type.h"

#include <array>

#include "lockstep/error.h"

namespace lockstep {
namespace {

struct TypeFacts {
  std::size_t bytes;
  bool floating;
  const char* name;
};

// Indexed by DataType.
constexpr std::array<TypeFacts, 7> TYPES{{{4, true, "f32"},
                                          {8, true, "f64"},
                                          {2, true, "f16"},
                                          {2, true, "bf16"},
                                          {4, false, "i32"},
                                          {8, false, "i64"},
                                          {1, false, "u8"}}};

constexpr std::array<const char*, 5> REDUCE_OPS{"sum", "average", "min", "max", "product"};

constexpr std::array<const char*, 13> OPERATIONS{
    "send",           "receive",    "broadcast",  "scatter", "gather", "all-gather", "reduce",
    "reduce-scatter", "all-reduce", "all-to-all", "barrier", "split",  "reduce-step"};

[[noreturn, gnu::cold, gnu::noinline]] void refuse(std::int64_t code, std::size_t size, const char* what) {
  throw Error(ErrorCode::INVALID_ARGUMENT, std::to_string(code) + " is no " + what + "; the codes are 0 to " +
                                               std::to_string(size - 1) + ".");
}

/// The index that `code` stands for in a table of `size` entries, or INVALID_ARGUMENT.
inline std::size_t checked(std::int32_t code, std::size_t size, const char* what) {
  const auto index = static_cast<std::uint32_t>(code);
  if (index >= size) refuse(code, size, what);
  return index;
}

const TypeFacts& facts(DataType type) {
  return TYPES[checked(static_cast<std::int32_t>(type), TYPES.size(), "data type")];
}

}  // namespace

std::size_t size_of(DataType type) { return facts(type).bytes; }

bool is_floating(DataType type) { return facts(type).floating; }

DataType data_type_from(std::int32_t code) {
  return static_cast<DataType>(checked(code, TYPES.size(), "data type"));
}

ReduceOp reduce_op_from(std::int32_t code) {
  return static_cast<ReduceOp>(checked(code, REDUCE_OPS.size(), "reduce operation"));
}

Operation operation_from(std::int32_t code) {
  return static_cast<Operation>(checked(code, OPERATIONS.size(), "operation"));
}

std::string name_of(DataType type) { return facts(type).name; }

std::string name_of(ReduceOp op) {
  return REDUCE_OPS[checked(static_cast<std::int32_t>(op), REDUCE_OPS.size(), "reduce operation")];
}

std::string name_of(Operation operation) {
  return OPERATIONS[checked(static_cast<std::int32_t>(operation), OPERATIONS.size(), "operation")];
}

}  // namespace lockstep

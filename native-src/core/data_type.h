#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "lockstep/export.h"
#include "lockstep/types.h"

namespace lockstep {

/// Bytes of one element; INVALID_ARGUMENT for a code that is no DataType.
LOCKSTEP_API std::size_t size_of(DataType type);
LOCKSTEP_API bool is_floating(DataType type);

/// Checked conversions from the codes that cross the JNI boundary; INVALID_ARGUMENT names the code.
DataType data_type_from(std::int32_t code);
ReduceOp reduce_op_from(std::int32_t code);
Operation operation_from(std::int32_t code);

/// Names for messages: "f32", "average", "all-reduce".
LOCKSTEP_API std::string name_of(DataType type);
LOCKSTEP_API std::string name_of(ReduceOp op);
LOCKSTEP_API std::string name_of(Operation operation);

}  // namespace lockstep

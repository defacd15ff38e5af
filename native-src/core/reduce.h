#pragma once

#include <cstddef>

#include "lockstep/types.h"

namespace lockstep {

/// target[i] = op(target[i], source[i]), for all operations but the division of AVERAGE (which accumulates like
/// SUM; see finish_average). F16 and BF16 are widened to f32, combined and rounded to nearest even.
/// The buffers do not overlap. The fastest variant for this CPU is chosen once, at run time; all give the same bits.
void reduce_into(void* target, const void* source, std::size_t count, DataType type, ReduceOp op);

/// target[i] = op(left[i], right[i]); target may be left or right.
void reduce_pair(void* target, const void* left, const void* right, std::size_t count, DataType type, ReduceOp op);

/// data[i] /= ranks, rounding integers toward zero.
void finish_average(void* data, std::size_t count, DataType type, int ranks);

}  // namespace lockstep

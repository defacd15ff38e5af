#pragma once

#include <cstddef>
#include <span>

#include "lockstep/export.h"
#include "lockstep/types.h"

namespace lockstep {

/// target[i] = op(target[i], source[i]), for all operations but the division of AVERAGE (which accumulates
/// like SUM; see finish_average). F16 and BF16 are widened to f32, combined and rounded to nearest even.
/// Floats follow IEEE 754-2019: MIN and MAX put −0 below +0 and give NaN when either operand is NaN; every
/// NaN that comes out is the positive quiet one, so that op(a, b) and op(b, a) have equal bits. Integers wrap
/// around. The buffers do not overlap and need no alignment. The fastest variant for this CPU is chosen once,
/// at run time; all give the same bits. INVALID_ARGUMENT for a code that is no DataType or ReduceOp.
LOCKSTEP_API void reduce_into(void* target, const void* source, std::size_t count, DataType type,
                              ReduceOp op);

/// target[i] = op(left[i], right[i]); target may be left or right.
void reduce_pair(void* target, const void* left, const void* right, std::size_t count, DataType type,
                 ReduceOp op);

/// target[i] = op over sources[0][i], sources[1][i], …, from the left; AVERAGE divides. F16 and BF16 are
/// rounded once, at the end. The target may be one of the sources. INVALID_ARGUMENT for fewer than two
/// sources.
LOCKSTEP_API void reduce_all(void* target, std::span<const void* const> sources, std::size_t count,
                             DataType type, ReduceOp op);

/// data[i] /= ranks, rounding integers toward zero. INVALID_ARGUMENT when ranks < 1.
LOCKSTEP_API void finish_average(void* data, std::size_t count, DataType type, int ranks);

}  // namespace lockstep

#pragma once

/// @file
/// Gradients in fewer bytes: codecs with error feedback, selection of the largest, and matrices of low rank.
///
/// Addresses are machine addresses of F32 elements unless it says otherwise; buffers of one call do not
/// overlap. Those of encode() and decode() need no alignment, all others are multiples of 4. Every function
/// throws Error INVALID_ARGUMENT, and changes nothing, for a null address with elements, a negative count or
/// a value outside its range. Results have the same bits on every CPU, but for which NaN it is. What is not
/// finite stays so: a NaN or an infinity among the values gives some on decoding. Calls on disjoint buffers
/// may run on different threads.

#include <cstdint>

#include "lockstep/export.h"

namespace lockstep {

/// How values are encoded. Those with scales have one for each 256 values.
enum class Codec : std::int32_t {
  FLOAT16 = 0,          ///< binary16, to nearest even; finite values beyond its range become its largest
  BFLOAT16 = 1,         ///< bfloat16, likewise
  INT8 = 2,             ///< scale·[−127, 127] with scale = max|v| ÷ 127, to nearest
  INT8_STOCHASTIC = 3,  ///< the same, up or down at random, so that the expectation is the value
  ONE_BIT = 4  ///< the sign, scaled by mean|v| (Karimireddy et al. 2019, "Error feedback fixes SignSGD")
};

/// Bytes of so many encoded values.
LOCKSTEP_API std::int64_t encoded_bytes(std::int32_t codec, std::int64_t count);

/// Encodes v[i] = values[i] + carry·residual[i], and leaves what is lost:
/// residual[i] = keep·residual[i] + (v[i] − decoded[i]).
/// @param output of encoded_bytes(codec, count) bytes
/// @param residual 0 for none, then v is `values`
/// @param keep 0 where carry took the residual along, 1 where it only grows
/// @param seed of INT8_STOCHASTIC; otherwise not looked at
LOCKSTEP_API void encode(std::int32_t codec, std::int64_t values, std::int64_t count, std::int64_t output,
                         std::int64_t residual, double carry, double keep, std::int64_t seed);

/// Decodes `count` values into `output`, or adds them to it.
LOCKSTEP_API void decode(std::int32_t codec, std::int64_t input, std::int64_t count, std::int64_t output,
                         bool add);

/// momentum[i] = factor·momentum[i] + values[i]; residual[i] = carry·residual[i] + momentum[i]
/// (Lin et al. 2018, "Deep gradient compression", section 3.1).
/// @param momentum 0 for none: then residual[i] = carry·residual[i] + values[i]
LOCKSTEP_API void accumulate(std::int64_t values, std::int64_t count, std::int64_t momentum, double factor,
                             std::int64_t residual, double carry);

/// The `wanted` values of largest magnitude, exactly; of equal ones those that come first. NaN is larger than
/// all.
/// @param count less than 2³²
/// @param indices of `wanted` unsigned integers of 32 bits, in ascending order on return
/// @param selected of `wanted` values: those at the indices
LOCKSTEP_API void select_largest(std::int64_t values, std::int64_t count, std::int64_t wanted,
                                 std::int64_t indices, std::int64_t selected);

/// output[indices[i]] += values[i]
/// @param given how many indices and values
/// @param count elements of `output`
LOCKSTEP_API void scatter_add(std::int64_t indices, std::int64_t values, std::int64_t given,
                              std::int64_t output, std::int64_t count);

/// output[indices[i]] = 0
LOCKSTEP_API void scatter_zero(std::int64_t indices, std::int64_t given, std::int64_t output,
                               std::int64_t count);

/// Makes the rows of a matrix orthonormal, each by what the rows before it leave of it; a row of which they
/// leave nothing (under 1e-7 of its norm) becomes zero. Gram-Schmidt, twice, in F64.
LOCKSTEP_API void orthonormalize_rows(std::int64_t matrix, std::int64_t rows, std::int64_t columns);

/// target = leftᵀ·right, or target −= leftᵀ·right.
/// @param left of rank × rows
/// @param right of rank × columns
/// @param target of rows × columns
LOCKSTEP_API void expand_low_rank(std::int64_t left, std::int64_t right, std::int64_t rank, std::int64_t rows,
                                  std::int64_t columns, std::int64_t target, bool subtract);

}  // namespace lockstep

#pragma once

#include <cstddef>

#include "core/cpu.h"

namespace lockstep {

/// One instruction set's conversions of F32 to and from the formats of 16 bits.
struct ConvertKernels {
  using Convert = void (*)(void* output, const void* input, std::size_t count);
  Convert f16_from_f32, bf16_from_f32, f32_from_f16, f32_from_bf16;
};

LOCKSTEP_KERNEL_TABLE(ConvertKernels, convert_kernels)

}  // namespace lockstep

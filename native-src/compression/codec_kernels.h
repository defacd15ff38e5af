#pragma once

#include <cstddef>
#include <cstdint>

#include "core/cpu.h"

namespace lockstep {

/// Values that share a scale.
constexpr std::size_t SCALE_BLOCK = 256;

/// Of lockstep::Codec.
constexpr std::size_t CODECS = 5;

/// The arguments of encode(), checked.
struct Encoding {
  const void* values;
  std::size_t count;
  void* output;
  /// Null for none.
  void* residual;
  float carry, keep;
  std::uint32_t seed;
};

/// One instruction set's codecs, by the code of a Codec.
struct CodecKernels {
  using Encode = void (*)(const Encoding& encoding);
  using Decode = void (*)(const void* input, std::size_t count, void* output, bool add);
  Encode encode[CODECS];
  Decode decode[CODECS];
};

LOCKSTEP_KERNEL_TABLE(CodecKernels, codec_kernels)

}  // namespace lockstep

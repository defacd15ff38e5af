#include "compression/sparse_kernels.h"

#include "core/element.h"

namespace lockstep::LOCKSTEP_ISA {
namespace {

void accumulate(const void* values, std::size_t count, void* momentum, float factor, void* residual,
                float carry) {
  if (momentum == nullptr) {
    LOCKSTEP_INDEPENDENT
    for (std::size_t i = 0; i < count; ++i) {
      F32::write(residual, i, carry * F32::read(residual, i) + F32::read(values, i));
    }
    return;
  }
  LOCKSTEP_INDEPENDENT
  for (std::size_t i = 0; i < count; ++i) {
    const float u = factor * F32::read(momentum, i) + F32::read(values, i);
    F32::write(momentum, i, u);
    F32::write(residual, i, carry * F32::read(residual, i) + u);
  }
}

std::uint32_t magnitude(const void* values, std::size_t i) {
  return __builtin_bit_cast(std::uint32_t, F32::read(values, i)) & 0x7fffffffu;
}

std::size_t collect(const void* values, std::size_t count, std::uint32_t threshold, std::uint32_t first,
                    std::uint32_t* indices) {
  // Few elements pass: most groups are left after one comparison of vectors.
  constexpr std::size_t GROUP = 32;
  std::size_t found = 0;
  for (std::size_t begin = 0; begin < count; begin += GROUP) {
    const std::size_t end = count - begin < GROUP ? count : begin + GROUP;
    if (end - begin == GROUP) {
      std::uint32_t largest = 0;
      for (std::size_t i = begin; i < begin + GROUP; ++i) {
        const std::uint32_t bits = magnitude(values, i);
        largest = largest > bits ? largest : bits;
      }
      if (largest < threshold) continue;
    }
    for (std::size_t i = begin; i < end; ++i) {
      indices[found] = first + static_cast<std::uint32_t>(i);
      found += magnitude(values, i) >= threshold ? 1 : 0;
    }
  }
  return found;
}

}  // namespace

extern const SparseKernels sparse_kernels = {accumulate, collect};

}  // namespace lockstep::LOCKSTEP_ISA

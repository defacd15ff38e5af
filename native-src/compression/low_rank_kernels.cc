#include "compression/low_rank_kernels.h"

#include "core/element.h"

namespace lockstep::LOCKSTEP_ISA {
namespace {

/// One row's elements [begin, begin + size): Σ over k in ascending order.
void expand_part(const void* left, const void* right, std::size_t rank, std::size_t rows, std::size_t columns,
                 std::size_t row, std::size_t begin, std::size_t size, float* sum) {
  for (std::size_t i = 0; i < size; ++i) sum[i] = 0;
  for (std::size_t k = 0; k < rank; ++k) {
    const float factor = F32::read(left, k * rows + row);
    const char* const source = static_cast<const char*>(right) + (k * columns + begin) * sizeof(float);
    LOCKSTEP_INDEPENDENT
    for (std::size_t i = 0; i < size; ++i) sum[i] += factor * F32::read(source, i);
  }
}

void expand(const void* left, const void* right, std::size_t rank, std::size_t rows, std::size_t columns,
            void* target, bool subtract) {
  alignas(64) float sum[BLOCK];
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t begin = 0; begin < columns; begin += BLOCK) {
      const std::size_t size = columns - begin < BLOCK ? columns - begin : BLOCK;
      expand_part(left, right, rank, rows, columns, row, begin, size, sum);
      char* const to = static_cast<char*>(target) + (row * columns + begin) * sizeof(float);
      if (subtract) {
        LOCKSTEP_INDEPENDENT
        for (std::size_t i = 0; i < size; ++i) F32::write(to, i, F32::read(to, i) - sum[i]);
      } else {
        std::memcpy(to, sum, size * sizeof(float));
      }
    }
  }
}

}  // namespace

extern const LowRankKernels low_rank_kernels = {expand};

}  // namespace lockstep::LOCKSTEP_ISA
